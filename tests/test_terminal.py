"""What commands print: in narrow windows, with brackets in names, without a star, to nobody."""

import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from flows.cli import main
from flows.options import out
from flows.terminal import runs_table
from tasks.runs.past_runs import DamagedRun, PastRun

NAME = "2026-11-22T13-05-11Z-" + "amber-lynx-" * 16


def past_run(name: str) -> PastRun:
    """Return a run of some name in a line."""
    return PastRun(
        run=name,
        started=datetime(2026, 11, 22, 13, 5, 11, tzinfo=UTC),
        seconds=30.0,
        csv="data/digits.csv",
        stages=4,
        ran=("train", "evaluate"),
        accuracy=0.986,
        accuracy_interval=(0.977, 0.992),
        train_rows=4000,
        test_rows=1000,
        classes=tuple(range(10)),
        verdict="unchanged",
        evaluate_key=None,
    )


def test_a_narrow_window_shortens_no_figure_and_no_name() -> None:
    """A name of 200 characters goes on in the next lines, and the figures next to it stay whole."""
    console = Console(width=60, file=io.StringIO(), record=True)
    console.print(runs_table([past_run(NAME), DamagedRun(run="2025", damage="no accuracy")], NAME))
    text = console.export_text()
    assert all(words in text for words in ("98.6%", "unchanged", "2 of 4", "damaged"))
    assert "…" not in text
    names = "".join(line.split("│")[1].strip() for line in text.splitlines() if "│" in line)
    assert f"{NAME}★" in names.replace(" ★", "★")


def test_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder named [bold] is a folder's name and no instruction."""
    out.print("Report: [bold]/report.html")
    assert capsys.readouterr().out == "Report: [bold]/report.html\n"


def test_an_encoding_without_a_star_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stdout can't encode is written by its code, as Python does on stderr."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(SystemExit):
        main(["--help"])
    stdout.write("★")
    stdout.flush()
    assert stdout.buffer.getvalue().endswith(rb"\u2605")  # type: ignore[attr-defined]


def test_a_reader_that_has_read_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`digits runs --json | head -c 1` ends without a word about disks."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit, match="1"):
            main(["runs", "--json", "--artifacts", str(tmp_path)])
    assert capsys.readouterr().err == ""
