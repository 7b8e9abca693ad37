"""The report of a sweep: a picture of its points, and what is said about them."""

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from examples.sweep import GRID, RESULTS, account, point

from tasks.report.sweep_report import write_sweep_report

SVG = "{http://www.w3.org/2000/svg}"


def report(folder: Path, grid: dict[str, list[Any]], results: Sequence[dict[str, Any]]) -> str:
    """Write a sweep's report and return its text with plain spaces."""
    write_sweep_report(folder, account(grid), results)
    return (folder / "report.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


def texts(folder: Path) -> list[str]:
    """Return what is written in the picture, all of which is inside it."""
    picture = ElementTree.parse(folder / "figures" / "sweep.svg").getroot()
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    found = picture.findall(f"{SVG}text")
    for text in found:
        half = 8.5 * len(text.text or "") / 2
        anchor = {"middle": half, "end": 2 * half}.get(text.attrib.get("text-anchor", ""), 0)
        left = float(text.attrib["x"]) - anchor
        assert 0 <= left <= left + 2 * half <= width, text.text
        assert 0 <= float(text.attrib["y"]) <= height
    return [(text.text or "").replace("\N{NO-BREAK SPACE}", " ") for text in found]


def test_two_settings_are_a_heat_map(tmp_path: Path) -> None:
    """Each point has a cell, the best the darkest and framed; a point not tried has none."""
    report(tmp_path, GRID, RESULTS)
    written = texts(tmp_path)
    assert "learning rate ↓, l2 →" in written
    assert sorted(written[-5:]) == ["70.0", "80.0", "94.5", "95.0", "✗"]
    cells = {
        (title.text or "").replace("\N{NO-BREAK SPACE}", " "): cell.attrib
        for cell in ElementTree.parse(tmp_path / "figures/sweep.svg").iter(f"{SVG}rect")
        if (title := cell.find(f"{SVG}title")) is not None
    }
    best = cells["learning_rate 0.2, l2 1: 95.0 %"]
    assert cells["learning_rate 9.0, l2 0: diverged"]["fill"] == "none"
    assert [cell for cell in cells.values() if "stroke-width" in cell] == [best]
    assert best["fill"] == min(cell["fill"] for cell in cells.values() if cell["fill"] != "none")
    columns = {name.split(":")[0][-1]: cell["x"] for name, cell in cells.items()}
    rows = {name.split(",")[0]: cell["y"] for name, cell in cells.items()}
    assert (len(columns), len(rows)) == (2, 3)
    assert float(columns["0"]) < float(columns["1"])
    assert len(set(columns.values())) == 2


@pytest.mark.parametrize("varied", [1, 3])
def test_else_the_best_points_are_dots(tmp_path: Path, varied: int) -> None:
    """At most 40, the best on top, each with its interval and its values."""
    values = [number / 8 for number in range(5)]
    grid = {"learning_rate": list(range(45)), "l2": [0], "momentum": [0.5]}
    if varied == 3:
        grid = dict.fromkeys(grid, values)
    points = [dict(zip(grid, each, strict=True)) for each in itertools.product(*grid.values())]
    results = [point(1 - place / 1000, **each) for place, each in enumerate(points)]
    said = report(tmp_path, grid, [*results[:-1], point(None, **points[-1])])
    assert "The best 40 points" in said
    assert f"The first 40; `results.csv` has all {len(points)}." in said
    written = texts(tmp_path)
    assert [text for text in written if "9" in text and "." in text and "%" in text]
    assert ("0.0 · 0.0 · 0.0" if varied == 3 else "0") in written
    picture = ElementTree.parse(tmp_path / "figures" / "sweep.svg").getroot()
    dots = [float(dot.attrib["cx"]) for dot in picture.findall(f"{SVG}circle")]
    assert len(dots) == 40
    assert dots == sorted(dots, reverse=True)
    ends = re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", (tmp_path / "figures/sweep.svg").read_text())
    assert all(float(low) < dot <= float(high) for (low, high), dot in zip(ends, dots, strict=True))


def test_long_values_stay_in_the_picture(tmp_path: Path) -> None:
    """Many settings, long lists and one point leave no text outside."""
    grid = {
        "hidden_layers": [[1000] * 12, [2000] * 12],
        **{name: [0.123456789, 2.0] for name in ("learning_rate", "momentum", "label_smoothing")},
    }
    report(tmp_path, grid, [point(0.5, **{name: values[0] for name, values in grid.items()})])
    assert any(text.endswith("…") for text in texts(tmp_path))


def test_the_report_says_what_to_do_and_on_what(tmp_path: Path) -> None:
    """The best and its command, what may be as good, what diverged, the data and the seed."""
    said = report(tmp_path, GRID, RESULTS)
    assert said.startswith("# Best of 5 points: 95.0 % of 1,000 held-out training digits")
    assert "With learning\\_rate 0.2, l2 1, epochs 30: 93.5 % to 96.2 %" in said
    assert "The interval of 1 other point holds that accuracy too" in said
    assert "xa0" not in said
    assert "digits train \\\n    --seed 7" in said
    assert "1 training diverged: learning\\_rate 9.0, l2 0, epochs 30." in said
    assert "with seed 7" in said
    assert "| Data | `digits.csv`, 1,234 bytes |" in said
    assert "| `training.patience` | `0` |" in said
    assert "training.l2" not in said, "the grid varies it"
    assert re.search(r"!\[Heat map [^]]+ at [^]]+\]\(figures/sweep.svg\)", said)


def test_the_page_holds_its_picture(tmp_path: Path) -> None:
    """report.html is one file with the picture in it and its description."""
    report(tmp_path, {"l2": [0, 1]}, [point(0.9, l2=0), point(0.1, l2=1)])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.search(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="Dot chart of ', page)
    assert "No other point's interval holds" in page
    assert "diverged" not in page
    assert "l2" in json.dumps(texts(tmp_path))


def test_prefects_page_has_a_table_in_place_of_the_heat_map(tmp_path: Path) -> None:
    """Prefect shows no SVG; all else is the same there, and dots are among the points anyway."""
    shown = write_sweep_report(tmp_path, account(GRID), RESULTS).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "| learning\\_rate ↓, l2 → | 0 | 1 |\n| :-- | --: | --: |\n| 0.1 | 80.0 % | 70.0 % |"
        in shown
    )
    assert "| 9.0 | diverged |  |" in shown
    own = (tmp_path / "report.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert own.partition("## Command")[2] == shown.partition("## Command")[2] != ""
    (tmp_path / "dots").mkdir()
    dots = write_sweep_report(tmp_path / "dots", account({"l2": [0]}), [point(0.9, l2=0)])
    assert "sweep.svg" not in shown + dots
    assert "## Accuracy" not in dots
