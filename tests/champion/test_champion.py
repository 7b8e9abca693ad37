"""The champion: when a network takes its place, and that no promotion is ever lost."""

import json
import os
import shutil
import subprocess
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples.digits import PROJECT, write_digits
from examples.runs import changed, manifest, past_run, ran, run, write_network

from flows.settings import Settings
from tasks.cache.store import sha256_of
from tasks.champion.comparison import Comparison, compare_with_champion, mcnemar
from tasks.champion.judgement import PromotionSettings, decide, judge, judged_before
from tasks.champion.promotions import Promotions, open_promotions
from tasks.digits.table import Digits
from tasks.errors import InputError
from tasks.promote import promote, roll_back
from tasks.runs.find_run import find_run
from tasks.runs.manifest import write_manifest

RUNS = [f"2026-11-2{day}T03-00-00Z-quiet-owl" for day in range(1, 5)]  # the oldest first
LABELS = np.repeat(np.arange(10, dtype=np.int8), 10)
# Of each digit ten images, in which the digit's own pixel is full.
TEST = Digits(
    pixels=255 * np.eye(16, dtype=np.uint8)[LABELS], labels=LABELS, image_side=4, pixel_max=255
)


def write_run(artifacts: Path, name: str, mistaken: tuple[int, ...] = (), side: int = 4) -> Path:
    """Write a complete run whose network reads all images of some digits as the next digit."""
    folder = artifacts / "runs" / name
    folder.mkdir(parents=True)
    weights = np.zeros((10, side * side + 1), np.float32)  # bias in column 0
    for digit in range(10):
        weights[(digit + (digit in mistaken)) % 10, 1 + digit] = 9
    write_network(folder, [weights])
    (folder / "metrics.json").write_text(json.dumps({"accuracy": 1 - len(mistaken) / 10}))
    (folder / "manifest.json").write_text("{}")
    return folder


def write_plain_manifest(folder: Path, outputs: dict[str, str]) -> None:
    """Write a manifest that names what the split left in the store."""
    split = {"key": "", "settings": {}, "inputs": {}, "code": {}, "outputs": outputs}
    known = {"settings": {}, "stages": {"shuffle_split": split}, "packages": {}, "git": None}
    source = {"path": "digits.csv", "sha256": "0" * 64, "bytes": 1}
    words = {"run": folder.name, "python": "3.11", "platform": "Linux", "code_sha256": ""}
    write_manifest(folder, {**known, **words, "source": source})


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Return an artifacts folder of four runs, none of them promoted."""
    for name in RUNS:
        write_run(tmp_path / "artifacts", name)
    return tmp_path / "artifacts"


def written(artifacts: Path, test: Digits = TEST) -> Path:
    """Write a test split, and return where."""
    write_digits(test, artifacts / "test.parquet")
    return artifacts / "test.parquet"


def promoted(artifacts: Path) -> list[tuple[str, str]]:
    """Return the promotions so far: which run, and how."""
    content = json.loads((artifacts / "champion.json").read_text())
    assert content["run"] == content["promotions"][-1]["run"]
    return [(entry["run"], entry["how"]) for entry in content["promotions"]]


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [(0, 0, 1), (1, 0, 1), (5, 5, 1), (0, 5, 2 / 32), (8, 1, 20 / 512), (3, 9, 598 / 4096)],
)
def test_mcnemar_is_the_throw_of_fair_coins(one: int, other: int, p: float) -> None:
    """The p-value is that of a fair coin, two-sided, whichever network is named first."""
    assert mcnemar(one, other) == mcnemar(other, one) == p


def test_mcnemar_of_many_digits() -> None:
    """Thousands of digits that changed sides make no overflow."""
    combinations = accumulate(range(4400), lambda n, k: n * (9000 - k) // (k + 1), initial=1)
    exact = sum(combinations) * 2 / 2**9000
    assert mcnemar(4400, 4600) == pytest.approx(exact, rel=1e-12)
    assert mcnemar(0, 9000) == 0.0


def test_champion_and_challenger_read_the_same_digits(artifacts: Path) -> None:
    """The comparison counts the digits that changed sides and each digit's loss of recall."""
    write_run(artifacts, "champion", mistaken=(1, 2, 3))
    predictions = LABELS.copy()
    predictions[40:44] = 5  # four of the ten 4s
    compared = compare_with_champion(artifacts, "champion", written(artifacts), predictions)
    assert (compared.accuracy, compared.challenger_accuracy) == (0.7, 0.96)
    assert (compared.wrong_to_right, compared.right_to_wrong) == (30, 4)
    assert compared.p_value == mcnemar(30, 4)
    assert compared.recall_drops == (0, -1, -1, -1, 0.4, 0, 0, 0, 0, 0)


def test_a_digit_that_does_not_occur_has_no_recall_to_lose(artifacts: Path) -> None:
    """A small test split without a digit decides on the others."""
    few = Digits(TEST.pixels[:30], LABELS[:30], 4, 255)
    compared = compare_with_champion(artifacts, RUNS[0], written(artifacts, few), LABELS[:30])
    assert compared.recall_drops == (0.0,) * 10


@pytest.mark.parametrize(
    ("first", "own_test", "left_out"),
    [(3, "test-0.parquet", 30), (3, "test-9.parquet", 0), (10, "test-0.parquet", 0)],
)
def test_digits_that_the_champion_was_trained_on_are_left_out(
    artifacts: Path, first: int, own_test: str, left_out: int
) -> None:
    """To know them again is no merit; its own test split it has not seen, and all are too many."""
    champion = write_run(artifacts, "champion", mistaken=(5,))
    train, test = artifacts / "store" / "train-0.parquet", artifacts / "store" / "test-9.parquet"
    train.parent.mkdir()
    write_digits(TEST, test)
    known = slice(10 * first)
    write_digits(Digits(TEST.pixels[known], LABELS[known], 4, 255), train)
    outputs = {train.name: sha256_of(train), own_test: "0"}
    write_plain_manifest(champion, outputs)
    predictions = LABELS.copy()
    predictions[:30] = 9
    compared = compare_with_champion(artifacts, "champion", test, predictions)
    assert compared.left_out == left_out
    shown = 100 - left_out
    assert (compared.wrong_to_right, compared.right_to_wrong) == (10, 0 if left_out else 30)
    assert compared.accuracy == (shown - 10) / shown
    assert compared.recall_drops[0] == (0 if left_out else 1)
    words = "more test digits that neither was trained on," if left_out else "fewer test digits"
    assert words in decide(compared, PromotionSettings()).reason
    train.write_bytes(b"")  # what it was trained on is not known any more
    assert compare_with_champion(artifacts, "champion", test, LABELS).left_out == 0


@pytest.mark.parametrize(
    ("limits", "accuracy", "drop", "verdict", "reason"),
    [
        ({}, 0.90, 0.0, "promoted", "this network recognises as many test digits, and no digit's"),
        ({}, 0.91, 0.0, "promoted", "recognises 1 more test digit"),
        ({}, 0.89, 0.0, "kept", "this network recognises 1 fewer test digit"),
        ({}, 0.93, 0.05, "promoted", "recognises 3 more test digits, and no digit's recall"),
        (
            {},
            0.93,
            0.06,
            "kept",
            "this network recognises 3 more test digits, but its recall falls by 6 percentage "
            "points for the 4s, and max_recall_drop is 5 percentage points",
        ),
        ({"max_recall_drop": 0.3}, 0.93, 0.3, "promoted", "recognises 3 more"),
        ({"max_recall_drop": 0}, 0.93, 0.1, "kept", "max_recall_drop is 0 percentage points"),
        ({"min_gain": 0.03}, 0.93, 0.0, "promoted", "recognises 3 more"),
        ({"min_gain": 0.03}, 0.92, 0.0, "kept", "and min_gain is 3 percentage points"),
        ({"min_gain": 0.01}, 0.90, 0.0, "kept", "and min_gain is 1 percentage point"),
    ],
)
def test_what_is_promoted(
    limits: dict[str, float], accuracy: float, drop: float, verdict: str, reason: str
) -> None:
    """Enough must be gained and no digit lost; a gain or loss of just the limit passes."""
    more = round(100 * accuracy) - 90
    decision = decide(
        Comparison(
            run="champion",
            accuracy=0.9,
            challenger_accuracy=accuracy,
            wrong_to_right=10 + more,
            right_to_wrong=10,
            p_value=1,
            recall_drops=(0.0,) * 4 + (drop,) + (0.0,) * 5,
        ),
        PromotionSettings.model_validate(limits),
    )
    assert decision.verdict == verdict
    assert reason in decision.reason


def judged(artifacts: Path, *, nothing_new: bool = False) -> tuple[str, str]:
    """Return verdict and reason for a challenger that makes no mistake."""
    with open_promotions(artifacts) as so_far:
        limits = PromotionSettings()
        test = written(artifacts)
        decision = judge(artifacts, so_far, test, LABELS, limits, nothing_new=nothing_new)
    return decision.verdict, decision.reason


def test_without_a_champion_the_first_is_promoted(artifacts: Path) -> None:
    """There is nothing to compare it with, be it new or not."""
    reason = "there was no champion to compare it with"
    assert judged(artifacts) == ("promoted", reason)
    assert judged(artifacts, nothing_new=True) == ("promoted", reason)


def test_nothing_new_is_no_promotion(artifacts: Path) -> None:
    """What was judged before leaves the champion as it is, better or not."""
    write_run(artifacts, "poor", mistaken=(1, 2, 3))
    promote(artifacts, "poor")
    assert judged(artifacts, nothing_new=True)[0] == "unchanged"
    assert judged(artifacts)[0] == "promoted"


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda run: shutil.rmtree(run), "could not be compared (it was deleted)"),
        (lambda run: (run / "manifest.json").unlink(), "could not be compared (it was deleted)"),
        (lambda run: (run / "weights.pkl").write_bytes(b"1"), "weights.pkl: was altered"),
        (lambda run: (run / "weights.pkl").unlink(), "weights.pkl: is missing"),
        (lambda run: (run / "model.json").write_text("{"), "model.json: not JSON"),
        (lambda run: alter(run / "model.json", image_side=5), "model.json: does not fit"),
        (lambda run: alter(run / "model.json", image_side=None), "missing or no number"),
        (lambda run: alter(run / "model.json", activation="step"), "model.json: does not fit"),
        (lambda run: alter(run.parents[1] / "champion.json", run=None), "champion.json is damaged"),
    ],
)
@pytest.mark.parametrize("nothing_new", [False, True])
def test_a_champion_that_cannot_be_scored_makes_room(
    artifacts: Path, harm: Any, said: str, nothing_new: bool
) -> None:
    """Nobody can use it any more, so the challenger is promoted, and the reason says why."""
    promote(artifacts, RUNS[0])
    harm(artifacts / "runs" / RUNS[0])
    verdict, reason = judged(artifacts, nothing_new=nothing_new)
    assert verdict == "promoted"
    assert said in reason


def alter(path: Path, **fields: Any) -> None:
    """Change some fields of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_champion_for_images_of_another_size_makes_room(artifacts: Path) -> None:
    """It can't read today's digits, and the reason names both sizes."""
    write_run(artifacts, "wide", side=5)
    promote(artifacts, "wide")
    verdict, reason = judged(artifacts)
    assert verdict == "promoted"
    assert "wide, could not be compared (its images have 5 × 5 pixels" in reason


def test_a_damaged_history_is_put_aside(artifacts: Path) -> None:
    """The next promotion begins a new history and keeps the damaged file for a person to mend."""
    (artifacts / "champion.json").write_text("{")
    promote(artifacts, RUNS[2])
    assert promoted(artifacts) == [(RUNS[2], "hand")]
    assert (artifacts / "champion.json.damaged").read_text() == "{"


def test_promotions_say_when_and_how(artifacts: Path) -> None:
    """Every change of the champion is kept, with the run's accuracy and who made it."""
    with open_promotions(artifacts) as past:
        past.add(RUNS[0], 0.97, "run")
    moved = promote(artifacts, RUNS[1][:10])
    assert moved.model_dump() == {
        "run": RUNS[1],
        "accuracy": 1.0,
        "replaced": RUNS[0],
        "skipped": {},
    }
    assert promote(artifacts, RUNS[1]).replaced is None, "it is the champion already"
    assert roll_back(artifacts).run == RUNS[0]
    assert promoted(artifacts) == [(RUNS[0], "run"), (RUNS[1], "hand"), (RUNS[0], "rollback")]
    past = Promotions(artifacts)
    assert [each.accuracy for each in past.entries] == [0.97, 1.0, 0.97]
    assert all(each.promoted.endswith("Z") for each in past.entries)


def test_rollbacks_go_further_and_further_back(artifacts: Path) -> None:
    """Each goes to the run before the champion, and never to what was itself rolled back."""
    for name in RUNS[:3]:
        promote(artifacts, name)
    assert roll_back(artifacts).run == RUNS[1]
    assert roll_back(artifacts).run == RUNS[0]
    with pytest.raises(InputError, match=f"no run to return to from {RUNS[0]}"):
        roll_back(artifacts)
    promote(artifacts, RUNS[3])
    promote(artifacts, RUNS[0])
    assert roll_back(artifacts).run == RUNS[3]
    assert roll_back(artifacts).run == RUNS[0]


def test_a_rollback_passes_over_what_is_of_no_use(artifacts: Path) -> None:
    """Deleted and damaged runs are skipped, and it is said which; the champion may be gone too."""
    for name in (RUNS[0], RUNS[1], RUNS[3], RUNS[2], RUNS[3]):
        promote(artifacts, name)
    for name in (RUNS[2], RUNS[3]):
        shutil.rmtree(artifacts / "runs" / name)
    (artifacts / "runs" / RUNS[1] / "weights.pkl").write_bytes(b"1")
    moved = roll_back(artifacts)
    assert moved.run == RUNS[0]
    assert list(moved.skipped) == [RUNS[2], RUNS[1]]
    assert moved.skipped[RUNS[2]] == "deleted"
    assert "was altered" in moved.skipped[RUNS[1]]


def test_the_reasons_of_a_rollback_that_fails_are_sentences(artifacts: Path) -> None:
    """A reason that ends in a full stop of its own is not given a second one."""
    promote(artifacts, RUNS[0])
    promote(artifacts, RUNS[1])
    (artifacts / "runs" / RUNS[0] / "weights.pkl").write_bytes(b"1")
    with pytest.raises(InputError, match="was altered") as error:
        roll_back(artifacts)
    assert ".." not in str(error.value)


def test_a_rollback_with_nowhere_to_go_changes_nothing(artifacts: Path) -> None:
    """No champion, one champion, one left of two, a damaged file: a clear error each time."""
    with pytest.raises(InputError, match="no champion yet"):
        roll_back(artifacts)
    promote(artifacts, RUNS[0])
    promote(artifacts, RUNS[1])
    shutil.rmtree(artifacts / "runs" / RUNS[0])
    before = (artifacts / "champion.json").read_bytes()
    with pytest.raises(InputError, match=f"to return to from {RUNS[1]}. {RUNS[0]}: deleted"):
        roll_back(artifacts)
    assert (artifacts / "champion.json").read_bytes() == before
    (artifacts / "champion.json").write_text("[]")
    with pytest.raises(InputError, match="damaged"):
        roll_back(artifacts)


def test_no_network_is_promoted_that_cannot_be_used(artifacts: Path) -> None:
    """A run with damaged weights or figures is refused, and the champion stays."""
    promote(artifacts, RUNS[0])
    (artifacts / "runs" / RUNS[1] / "weights.pkl").write_bytes(b"1")
    (artifacts / "runs" / RUNS[2] / "metrics.json").write_text("{}")
    for name in RUNS[1:3]:
        with pytest.raises(InputError):
            promote(artifacts, name)
    with pytest.raises(InputError, match="no such run"):
        promote(artifacts, "2025")
    assert promoted(artifacts) == [(RUNS[0], "hand")]


PROMOTE = """
import sys
from pathlib import Path
from tasks.champion.promotions import Promotions, open_promotions
from tasks.promote import promote

artifacts, times, *names = sys.argv[1:]
for number in range(int(times)):
    promote(Path(artifacts), names[number % len(names)])
"""


def test_two_at_once_lose_no_promotion(artifacts: Path) -> None:
    """Of two processes that promote as fast as they can, every promotion is in the history."""
    times = 60
    promote(artifacts, RUNS[0])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROMOTE, str(artifacts), str(times), *names],
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        for names in (RUNS[:2], RUNS[2:])  # no run comes twice running, for that is no promotion
    ]
    while any(process.poll() is None for process in processes):
        promoted(artifacts)  # whole at any moment
    assert [process.returncode for process in processes] == [0, 0]
    names = [name for name, _ in promoted(artifacts)]
    for own in (RUNS[:2], RUNS[2:]):
        mine = [name for name in names[1:] if name in own]
        assert mine == [own[number % 2] for number in range(times)][-len(mine) :]
        assert len(mine) >= times - 1, "only the first may find its run in use already"
    assert not list(artifacts.glob(".champion.json-*"))


@pytest.mark.parametrize("verdict", ["promoted", "kept", "unchanged"])
def test_a_run_that_was_killed_before_its_promotion_did_not_judge(
    artifacts: Path, verdict: str
) -> None:
    """A manifest with the verdict promoted counts only if the promotion is in the history."""
    runs = [past_run(0).model_copy(update={"run": RUNS[3], "verdict": verdict})]
    assert judged_before(runs, Promotions(artifacts), "k") == (verdict != "promoted")
    assert not judged_before(runs, Promotions(artifacts), "another")
    promote(artifacts, RUNS[3])
    assert judged_before(runs, Promotions(artifacts), "k")


def test_the_champion_is_found_or_missed_by_name(artifacts: Path) -> None:
    """A champion that was deleted is never taken for another run whose name begins alike."""
    write_run(artifacts, f"{RUNS[0]}-too")
    with pytest.raises(InputError, match=r"no champion yet\. Name a run"):
        find_run(artifacts, "champion")
    promote(artifacts, RUNS[0])
    assert find_run(artifacts, "champion").name == RUNS[0]
    shutil.rmtree(artifacts / "runs" / RUNS[0])
    with pytest.raises(InputError, match=f"the champion, {RUNS[0]}, was deleted"):
        find_run(artifacts, "champion")
    (artifacts / "champion.json").write_text("{}")
    with pytest.raises(InputError, match="damaged, so the champion is not known"):
        find_run(artifacts, "champion")


def test_promote_roll_back_and_predict_on_the_command_line(
    digits: Any, artifacts: Path, tmp_path: Path
) -> None:
    """Moving the champion by hand moves what `predict` uses; --json says where it went."""
    settings = {"settings": {"data": {}}}
    for name in RUNS[:2]:
        (artifacts / "runs" / name / "manifest.json").write_text(json.dumps(settings))
    np.savetxt(tmp_path / "new.csv", TEST.pixels, fmt="%d", delimiter=",")
    missing = digits("predict", "new.csv")
    assert missing.returncode == 2
    assert "no champion yet. Name a run" in missing.stderr
    nothing = digits("rollback")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "no champion yet" in nothing.stderr

    assert (
        f"{RUNS[0]} is the champion; its test accuracy is 100.0%"
        in digits("promote", RUNS[0]).stdout
    )
    moved = json.loads(digits("promote", RUNS[1], "--json").stdout)
    assert moved == {"run": RUNS[1], "accuracy": 1.0, "replaced": RUNS[0]}
    read = json.loads(digits("predict", "new.csv", "--json").stdout)
    assert read["output"] == f"artifacts/predictions/{RUNS[1]}.csv"
    back = json.loads(digits("rollback", "--json").stdout)
    assert back == {"run": RUNS[0], "accuracy": 1.0, "replaced": RUNS[1], "skipped": {}}
    unknown = digits("promote", "nobody", "--artifacts", "nowhere")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert not (tmp_path / "nowhere").exists()


def test_promotion_settings_are_in_no_stage_key(settings: Settings) -> None:
    """They decide on the network, not on how it is made: nothing runs again for them."""
    again = run(changed(settings, promotion={"min_gain": 0.5, "max_recall_drop": 0}))
    assert ran(again) == []
    assert again.verdict == "unchanged"
    reason = manifest(again)["verdict_reason"]
    assert reason == "nothing was new: every stage came from the cache"


def test_a_run_obeys_the_limits_and_its_report_says_why(settings: Settings) -> None:
    """A better network is kept out by --min-gain, and the report has the comparison."""
    better = {"epochs": 300, "learning_rate": 1.0, "l2": 0.01}
    kept = run(changed(settings, training=better, promotion={"min_gain": 1}))
    assert kept.verdict == "kept"
    report = (kept.directory / "report.md").read_text()
    assert "The champion stays in use, because this network recognises" in report
    assert "min\\_gain is 100 percentage points" in report
    compared = json.loads((kept.directory / "metrics.json").read_text())["champion"]
    sides = compared["wrong_to_right"] + compared["right_to_wrong"]
    assert f"{sides} of them changed sides" in report
    assert run(changed(settings, training=better | {"l2": 0.02})).verdict == "promoted"


def test_a_promotion_that_a_kill_prevented_is_made_up_for(settings: Settings) -> None:
    """All stages of the next run are cached, but nobody has judged its network yet."""
    better = changed(settings, training={"epochs": 300, "learning_rate": 1.0, "l2": 0.01})
    before = (settings.artifacts / "champion.json").read_bytes()
    assert run(better).verdict == "promoted"
    (settings.artifacts / "champion.json").write_bytes(before)
    again = run(better)
    assert (ran(again), again.verdict) == ([], "promoted")
    assert run(better).verdict == "unchanged"


def test_a_deleted_champion_makes_room_for_the_next_run(settings: Settings) -> None:
    """The report says that it could not be compared; the history keeps its name."""
    (folder,) = (settings.artifacts / "runs").iterdir()
    shutil.rmtree(folder)
    again = run(settings)
    assert (ran(again), again.verdict) == ([], "promoted")
    report = (again.directory / "report.md").read_text()
    assert f"the champion, {folder.name}, could not be compared" in report.replace("\\", "")
    assert promoted(settings.artifacts) == [(folder.name, "run"), (again.run, "run")]
