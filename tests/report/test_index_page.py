"""`index.html` of the artifacts folder: every run, its accuracy, a link to its report.

How it looks in a browser is tested in `test_browser`.
"""

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from examples.runs import changed, past_run, run

from flows.settings import Settings
from tasks.cache.json_file import read_object
from tasks.promote import promote, roll_back
from tasks.prune import prune
from tasks.report.index_page import write_index
from tasks.runs.past_runs import all_runs, whole, with_latest

HOSTILE = "2026-11-22T13-05-11Z-<img src=x onerror=alert(1)> \"'&%2e#?"


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data

    def links(self) -> list[str]:
        """Return where the table's links lead, as paths."""
        links = [unquote(str(attributes["href"])) for tag, attributes in self.tags if tag == "a"]
        return list(dict.fromkeys(links))


def write_run(artifacts: Path, name: str, accuracy: float = 0.9, **manifest: Any) -> None:
    """Write as much of a run's folder as the page reads."""
    folder = artifacts / "runs" / name
    folder.mkdir(parents=True)
    recorded = {
        "started": "2026-11-22T13:05:11Z",
        "seconds": 1.5,
        "source": {"path": "data/digits.csv"},
        "stages": {"train": {"state": "ran"}},
        "verdict": "kept",
        **manifest,
    }
    (folder / "manifest.json").write_text(json.dumps(recorded))
    interval = [accuracy - 0.02, min(accuracy + 0.02, 1)]
    rows = {"train_rows": 4000, "test_rows": 1000, "classes": list(range(10))}
    metrics = {"accuracy": accuracy, "accuracy_interval": interval, **rows}
    (folder / "metrics.json").write_text(json.dumps(metrics))


def names(count: int) -> list[str]:
    """Return names of runs, oldest first."""
    return [f"2026-11-22T13-{number:02}-11Z-run" for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_all_runs_are_listed_newest_first(tmp_path: Path, count: int) -> None:
    """However many there are, each has a row and, where there are two, a point in the chart."""
    for place, name in enumerate(names(count)):
        write_run(tmp_path, name, accuracy=0.5 + place / 100)
    tmp_path.joinpath("runs", "2026-11-22T14-00-00Z-unfinished").mkdir(parents=True)
    write_index(tmp_path, all_runs(tmp_path), None)
    page = Page(tmp_path / "index.html")
    assert page.links() == [f"runs/{name}/report.html" for name in reversed(names(count))]
    assert sum(tag == "circle" for tag, _ in page.tags) == (count if count > 1 else 0)


def test_the_chart_is_to_scale(tmp_path: Path) -> None:
    """Points lie left to right by age, and the higher the more accurate, inside the picture."""
    accuracies = [0.91, 0.95, 0.93, 1.0]
    for name, accuracy in zip(names(4), accuracies, strict=True):
        write_run(tmp_path, name, accuracy)
    write_index(tmp_path, all_runs(tmp_path), names(4)[1])
    circles = [attrs for tag, attrs in Page(tmp_path / "index.html").tags if tag == "circle"]
    x, y = ([float(str(circle[axis])) for circle in circles] for axis in ("cx", "cy"))
    assert x == sorted(x)
    heights = [round((y[0] - each) / (y[0] - y[3]), 2) for each in y]
    assert heights == [round((each - 0.91) / 0.09, 2) for each in accuracies]
    assert all(7 < each < 300 - 7 for each in y)
    assert [circle["fill"] == "var(--mark)" for circle in circles] == [False, True, False, False]
    dates = [text for text in texts(tmp_path / "index.html") if text.endswith("13:05")]
    assert dates == ["22 Nov 2026, 13:05"] * 2  # of the first run and of the last


def texts(page: Path) -> list[str]:
    """Return what is written in a page's chart, without its titles."""
    return re.findall(r"<text[^>]*>([^<]+)</text>", page.read_text(encoding="utf-8"))


def test_runs_that_read_all_alike_can_be_drawn(tmp_path: Path) -> None:
    """Perfect runs leave no span to divide by."""
    for name in names(3):
        write_run(tmp_path, name, 1.0)
        path = tmp_path / "runs" / name / "metrics.json"
        metrics = {**json.loads(path.read_text()), "accuracy_interval": [1, 1]}
        path.write_text(json.dumps(metrics))
    write_index(tmp_path, all_runs(tmp_path), None)
    assert Page(tmp_path / "index.html").text.count("100.0") >= 3


def test_names_stay_text_and_links_lead_there(tmp_path: Path) -> None:
    """No name of a run becomes a tag, and its link is the folder's, whatever is in it."""
    write_run(tmp_path, HOSTILE)
    write_index(tmp_path, all_runs(tmp_path), HOSTILE)
    page = Page(tmp_path / "index.html")
    assert "img" not in {tag for tag, _ in page.tags}
    assert page.links() == [f"runs/{HOSTILE}/report.html"]
    assert HOSTILE in page.text


@pytest.mark.parametrize(
    "harm",
    [
        lambda run: (run / "metrics.json").write_text("{"),
        lambda run: (run / "metrics.json").write_text('{"accuracy": NaN}'),
        lambda run: (run / "manifest.json").write_text("{}"),
        lambda run: (run / "metrics.json").unlink(),
    ],
)
def test_a_damaged_run_is_named_apart(tmp_path: Path, harm: Any) -> None:
    """One damaged folder keeps no other run off the page, and has a line of its own."""
    for name in names(3):
        write_run(tmp_path, name)
    harm(tmp_path / "runs" / names(3)[1])
    assert [past.run for past in whole(all_runs(tmp_path))] == [names(3)[2], names(3)[0]]
    write_index(tmp_path, all_runs(tmp_path), None)
    page = Page(tmp_path / "index.html")
    assert len(page.links()) == 2
    assert "1 damaged run" in page.text
    assert names(3)[1] in page.text


def test_every_run_and_every_move_of_the_champion_writes_it(settings: Settings) -> None:
    """The page shows the new run at once, marks the champion, and forgets what was pruned."""
    artifacts = settings.artifacts
    first = next(all_runs(artifacts)).run
    better = {"epochs": 300, "learning_rate": 1.0, "l2": 0.01}
    second = run(changed(settings, training=better)).run
    assert Page(artifacts / "index.html").links()[-1] == f"runs/{first}/report.html"

    def shown() -> tuple[list[str], str]:
        """Return the runs listed, and the row that is marked."""
        text = (artifacts / "index.html").read_text(encoding="utf-8")
        (marked,) = re.findall(r'<tr class="champion">.*?</tr>', text, re.DOTALL)
        listed = [Path(link).parent.name for link in Page(artifacts / "index.html").links()]
        return sorted(listed), marked

    for move in (lambda: promote(artifacts, first), lambda: promote(artifacts, second)):
        champion = move().run
        assert shown()[0] == sorted([first, second])
        assert champion in shown()[1]
    assert roll_back(artifacts).run == first
    assert first in shown()[1]
    promote(artifacts, second)
    prune(artifacts, 1, dry_run=False)
    assert shown()[0] == [second]


def test_a_run_reads_an_earlier_one_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdict, report and index are made of one reading of its two files."""
    (finished,) = (settings.artifacts / "runs").iterdir()
    old = shutil.copytree(finished, finished.with_name(names(1)[0]))
    read: Counter[str] = Counter()

    def counted(path: Path) -> dict[str, Any]:
        read[path.name] += path.parent == old
        return read_object(path)

    monkeypatch.setattr("tasks.runs.folders.read_object", counted)
    assert run(settings).verdict == "unchanged"
    assert +read == {"manifest.json": 1, "metrics.json": 1}


def test_the_run_published_last_takes_its_place() -> None:
    """A run is listed by the second it began, and before those of the same second."""
    runs = [past_run(place) for place in (9, 5, 1)]
    same = runs[1].model_copy(update={"run": f"{runs[1].run}-too"})
    assert with_latest(same, runs) == [runs[0], same, *runs[1:]]


def test_pruning_some_other_folder_writes_no_page(tmp_path: Path) -> None:
    """A folder taken for the artifacts folder by mistake keeps its own index.html."""
    (tmp_path / "index.html").write_text("mine")
    prune(tmp_path, 1, dry_run=False)
    assert (tmp_path / "index.html").read_text() == "mine"


def test_show_opens_the_report(digits: Any, settings: Settings, tmp_path: Path) -> None:
    """`digits show --open` hands the report's address to the browser; without one it says so."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!{shutil.which("sh")}\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    shown = digits("show", "latest", "--open", BROWSER=f"{browser} %s")
    assert shown.returncode == 0, shown.stderr
    (folder,) = (settings.artifacts / "runs").iterdir()
    assert (tmp_path / "opened").read_text().strip() == (folder / "report.html").as_uri()
    none = digits("show", "latest", "--open", BROWSER="false %s")
    assert none.returncode == 2
    assert "Open the report yourself: artifacts/runs/" in none.stderr
