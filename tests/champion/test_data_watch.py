"""The data watch: what digits are like, whether they have drifted, what leaks into the test."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples.digits import imagined_profile, write_digits
from examples.runs import changed, manifest, ran, run
from pydantic import ValidationError

from flows.settings import Settings
from tasks.champion.data_watch import DataWatch, watch_data
from tasks.champion.drift import drift_between, population_shift
from tasks.digits.fingerprints import image_digests, packed, seen_in, unpacked
from tasks.digits.profile import Profile, profile_of, share_seen
from tasks.digits.table import Digits
from tasks.errors import DataError


def random_digits(rows: int, *, side: int = 8, seed: int = 0) -> Digits:
    """Return digits whose every image is another."""
    rng = np.random.default_rng(seed)
    return Digits(
        pixels=rng.integers(0, 256, (rows, side * side)).astype(np.uint8),
        labels=rng.integers(0, 10, rows).astype(np.int8),
        image_side=side,
        pixel_max=255,
    )


def profiled(digits: Digits, folder: Path) -> Profile:
    """Return the profile of digits, by way of the file that ingest writes."""
    write_digits(digits, folder / "digits.parquet")
    return profile_of(folder / "digits.parquet", digits.pixel_max, digits.classes)


@pytest.mark.parametrize(("rows", "side"), [(1, 1), (60, 3), (9000, 9)])
def test_a_profile_counts_what_plain_numpy_counts(rows: int, side: int, tmp_path: Path) -> None:
    """Counts, ink by digit, image and part of the image, however many row groups there are."""
    digits = random_digits(rows, side=side)
    profile = profiled(digits, tmp_path)
    ink = digits.pixels / 255
    assert (profile.rows, profile.image_side, sum(profile.ink_histogram)) == (rows, side, rows)
    assert profile.duplicates == rows - len(np.unique(digits.pixels, axis=0))
    for digit, (count, mean) in enumerate(zip(profile.counts, profile.ink, strict=True)):
        own = ink[digits.labels == digit]
        assert count == len(own)
        assert mean == (pytest.approx(own.mean(), abs=1e-6) if count else None)
    image = ink.mean(axis=0).reshape(side, side)
    corner = -(-side // min(side, 4))
    assert profile.regions[0][0] == pytest.approx(image[:corner, :corner].mean(), abs=1e-6)
    assert {len(row) for row in profile.regions} == {len(profile.regions)} == {min(side, 4)}
    middle = np.flatnonzero(profile.ink_histogram).mean() / 100
    assert middle == pytest.approx(float(np.median(ink.mean(axis=1))), abs=0.05)


def test_a_profile_survives_json_and_nothing_else_does() -> None:
    """It reads back the same; numbers that do not fit together are refused."""
    profile = imagined_profile()
    assert Profile.model_validate_json(profile.model_dump_json()) == profile
    for field, value in {"rows": 61, "counts": [6] * 9, "digests": "?", "duplicates": 1}.items():
        with pytest.raises(ValidationError):
            Profile.model_validate({**profile.model_dump(), field: value})


def test_equal_images_have_equal_digests_however_they_are_stored() -> None:
    """The same ink in whole numbers to 255, to 1 and to 100; one other pixel changes it."""
    pixels = random_digits(50).pixels
    digests = image_digests(pixels, 255)
    assert len(set(digests.tolist())) == 50
    for scale in (1, 100):
        stored = (pixels / 255 * scale).astype(np.float32)
        np.testing.assert_array_equal(image_digests(stored, scale), digests)
    pixels[7, 3] ^= 1
    assert np.flatnonzero(image_digests(pixels, 255) != digests).tolist() == [7]
    np.testing.assert_array_equal(unpacked(packed(digests)), digests)
    assert seen_in(digests[:10], digests[5:]).tolist() == [False] * 5 + [True] * 5


def test_a_profile_keeps_a_sample_of_many_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size has a bound; what share of the images was seen before is then an estimate."""
    half = random_digits(4000)
    half.pixels[2000:] = random_digits(2000, seed=1).pixels
    exact = share_seen(profiled(half, tmp_path), profiled(random_digits(4000), tmp_path))
    assert exact == 0.5
    monkeypatch.setattr("tasks.digits.profile._MOST_DIGESTS", 1000)
    now, before = (profiled(digits, tmp_path) for digits in (half, random_digits(4000)))
    assert now.duplicates == 0
    assert len(unpacked(now.digests)) == 1000
    assert share_seen(now, before) == pytest.approx(0.5, abs=0.05)
    few = profiled(random_digits(1000), tmp_path)
    assert share_seen(few, before) == 1
    assert share_seen(before, few) == pytest.approx(0.25, abs=0.05)


def test_the_index_is_the_formula_of_the_book() -> None:
    """Σ (now − before) · ln(now / before), worked by hand on large samples, and finite at zero."""
    before, now = np.array([500_000, 500_000]), np.array([250_000, 750_000])
    by_hand = -0.25 * np.log(0.5) + 0.25 * np.log(1.5)
    shift = population_shift(before, now)
    assert shift.index == pytest.approx(by_hand, rel=1e-4)
    assert shift.level == "large"
    assert np.isfinite(population_shift(np.array([10, 0]), np.array([0, 10])).index)


@pytest.mark.parametrize(
    ("share", "level"), [(0.5, "none"), (0.6, "none"), (0.7, "moderate"), (0.8, "large")]
)
def test_levels_of_drift(share: float, level: str) -> None:
    """Below 0.1 nothing has changed, from 0.25 on it is another population."""
    now = np.array([share, 1 - share]) * 100_000
    assert population_shift(np.array([50_000, 50_000]), now).level == level


@pytest.mark.parametrize("rows", [20, 200, 20_000])
def test_chance_is_no_drift(rows: int) -> None:
    """Two samples of one population hardly ever count as drifted, be they ever so small."""
    rng = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    drawn = [
        population_shift(rng.multinomial(rows, shares), rng.multinomial(rows, shares))
        for _ in range(200)
    ]
    assert np.mean([shift.level == "large" for shift in drawn]) <= 0.15
    # Half a count in every group draws the shares of tiny samples together.
    by_chance = np.mean([shift.by_chance for shift in drawn])
    assert np.mean([shift.index for shift in drawn]) == pytest.approx(by_chance, rel=0.3)


def test_the_same_data_have_not_drifted_and_darker_ones_have() -> None:
    """All images were seen before; ink that is all elsewhere is another population."""
    profile = imagined_profile(500)
    same = drift_between("earlier", profile, profile)
    assert (same.level, same.seen_before, same.ink.index) == ("none", 1, 0)
    darker = profile.model_copy(update={"ink_histogram": profile.ink_histogram[::-1]})
    drift = drift_between("earlier", profile, darker)
    assert (drift.digits.level, drift.ink.level, drift.level) == ("none", "large", "large")


def test_images_in_both_splits_are_counted(tmp_path: Path) -> None:
    """Every test image that equals a training image counts, as often as it is there."""
    train, test = random_digits(50), random_digits(20, seed=1)
    files = tmp_path / "train.parquet", tmp_path / "test.parquet"
    test.pixels[4] = test.pixels[5]
    for same, expected in ((0, 0), (3, 3)):
        test.pixels[:same] = train.pixels[7]
        for digits, file in zip((train, test), files, strict=True):
            write_digits(digits, file)
        watched = watch_data(tmp_path, None, imagined_profile(duplicates=1 + same), *files)
        assert watched.test_images_in_training == expected
    assert watched.described()["not_compared"] == "there was no champion"
    json.dumps(watched.described(), allow_nan=False)


def test_without_duplicates_no_image_is_in_both_splits(tmp_path: Path) -> None:
    """The splits share no row, so nothing need be read to know that they share no image."""
    nowhere = tmp_path / "none.parquet"
    assert watch_data(tmp_path, None, imagined_profile(), nowhere, nowhere) == DataWatch(
        profile=imagined_profile(),
        test_images_in_training=0,
        not_compared="there was no champion",
    )


def drifted(csv: Path) -> None:
    """Leave a file of the digits 0 to 3, one each of the others, and the first row thrice."""
    rows = csv.read_text().splitlines()
    others = {row[-1]: row for row in rows}
    kept = [row for row in rows if row[-1] in "0123" or row == others[row[-1]]]
    csv.write_text("\n".join([kept[0]] * 2 + kept) + "\n")


def data_of(directory: Path) -> Any:
    """Return what a run's metrics say of its data."""
    return json.loads((directory / "metrics.json").read_text())["data"]


def test_a_run_describes_its_data(settings: Settings) -> None:
    """Profile, drift, duplicates and what was seen before, in its folder, metrics and manifest."""
    same = run(changed(settings, training={"epochs": 6}))
    assert manifest(same)["drift"] == data_of(same.directory)["drift"]["level"] == "none"
    assert data_of(same.directory)["drift"]["seen_before"] == 1
    drifted(settings.csv)
    other = run(settings)
    data = data_of(other.directory)
    assert manifest(other)["drift"] == "large"
    assert (data["rows"], data["duplicates"], data["counts"][9]) == (88, 2, 1)
    assert data["drift"]["seen_before"] == 1
    assert "The data have drifted" in (other.directory / "report.md").read_text()
    Profile.model_validate_json((other.directory / "profile.json").read_text())


def test_a_drifting_run_fails_before_training_if_asked_to(
    settings: Settings, digits: Any, server: str
) -> None:
    """`--fail-on-drift` ends it with exit code 2, the reason, and nothing trained or published."""
    assert ran(run(changed(settings, fail_on_drift=True))) == []
    runs = sorted((settings.artifacts / "runs").iterdir())
    drifted(settings.csv)
    words = ("train", "--csv", "small.csv", "--recipe", "classic", "--epochs", "5")
    ended = digits(*words, "--fail-on-drift", PREFECT_API_URL=server)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "error: the data have drifted from those of the champion" in ended.stderr
    assert "Nothing was trained" in ended.stderr
    assert "epoch" not in ended.stderr
    assert sorted((settings.artifacts / "runs").iterdir()) == runs


def no_profile(folder: Path) -> None:
    """Leave a run as it was before runs kept profiles."""
    (folder / "profile.json").unlink()


def damaged_profile(folder: Path) -> None:
    """Leave a profile whose numbers are not all there."""
    (folder / "profile.json").write_text('{"rows": 3}')


@pytest.mark.parametrize(
    ("harm", "said"), [(no_profile, "left no profile"), (damaged_profile, "is damaged")]
)
def test_where_there_is_nothing_to_compare_with_there_is_no_drift(
    settings: Settings, harm: Any, said: str
) -> None:
    """A champion of before profiles, or with a damaged one, stops nobody; the report says why."""
    (folder,) = (settings.artifacts / "runs").iterdir()
    harm(folder)
    drifted(settings.csv)
    published = run(changed(settings, fail_on_drift=True))
    assert manifest(published)["drift"] is None
    assert said in data_of(published.directory)["not_compared"]


def test_fail_on_drift_is_in_no_stage_key(settings: Settings) -> None:
    """It says whether a run goes on, not what comes of it."""
    assert ran(run(changed(settings, fail_on_drift=True))) == []


def test_drift_is_the_readers_to_mend() -> None:
    """It counts as bad input: never retried, exit code 2."""
    from tasks.errors import InputError

    assert issubclass(DataError, InputError)
