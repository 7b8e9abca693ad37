"""What the commands show on a terminal: the runs, one run, two runs side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table

from tasks.compare import Pair, RunComparison
from tasks.digits.classes import image_noun, label_noun
from tasks.runs.changed_digits import ChangedDigit
from tasks.runs.flat_settings import flat_settings, setting
from tasks.runs.past_runs import DamagedRun, PastRun

SHOWN_DIGITS = 20


def runs_table(runs: Sequence[PastRun | DamagedRun], champion: str | None) -> Table:
    """Return the runs as a table to print, the champion with a star."""
    # In a narrow window the names go on in the next line, so that the figures stay whole.
    table = Table(Column("run", overflow="fold"), "accuracy", "verdict", "stages\nrun")
    table.columns[1].no_wrap = table.columns[3].no_wrap = True
    for run in runs:
        name = run.run + (" ★" if run.run == champion else "")
        if isinstance(run, DamagedRun):
            table.add_row(name, "damaged", run.damage)
        else:
            ran = f"{len(run.ran)} of {run.stages}"
            table.add_row(name, f"{run.accuracy:.1%}", run.verdict, ran)
    if any(run.run == champion for run in runs):
        table.caption, table.caption_justify = "★ the champion", "left"
    return table


def run_details(
    folder: Path, manifest: Mapping[str, Any], metrics: Mapping[str, Any]
) -> RenderableType:
    """Return one run to print: its accuracy, its stages with reasons, each label, its settings."""
    low, high = metrics["accuracy_interval"]
    classes = metrics["classes"]
    stages = Table("stage", "state", "seconds", Column("why", overflow="fold"))
    for name, stage in manifest["stages"].items():
        stages.add_row(name, stage["state"], f"{stage['seconds']:.2f}", stage["reason"])
    labels = Table(label_noun(classes), "precision", "recall", "F1", "support")
    for row in metrics["per_digit"]:
        labels.add_row(
            str(row["digit"]),
            *(f"{row[name]:.1%}" for name in ("precision", "recall", "f1")),
            str(row["support"]),
        )
    settings = Table("setting", "value")
    for name, value in flat_settings(manifest["settings"]).items():
        settings.add_row(name, setting(value))
    modules = Table("stage", "source files that its key depends on")
    for name, stage in manifest["stages"].items():
        modules.add_row(name, ", ".join(stage["code"]))
    return Group(
        f"{manifest['run']}: {metrics['accuracy']:.1%} of {metrics['test_rows']:,} test "
        f"{image_noun(classes)}s recognised (95 % interval {low:.1%} to {high:.1%})\n"
        f"{manifest['verdict'].capitalize()}, because {manifest['verdict_reason']}",
        stages,
        modules,
        labels,
        settings,
        f"Report: {folder / 'report.html'}",
    )


def comparison_details(comparison: RunComparison) -> RenderableType:
    """Return a comparison to print: what differs, the metrics, which digits changed sides."""
    return Group(*_parts(comparison))


def _parts(comparison: RunComparison) -> Iterator[RenderableType]:
    yield f"A: {comparison.a}\nB: {comparison.b}"
    settings = {
        name: (a if a is None else setting(a), b if b is None else setting(b))
        for name, (a, b) in comparison.settings.items()
    }
    for title, pairs, same in (
        ("setting", settings, "The settings are the same."),
        ("data", _differing(comparison.data), "The data are the same."),
        ("source file", comparison.code, "The code that stages depend on is the same."),
        ("environment", comparison.environment, "The environment is the same."),
    ):
        yield _table(title, pairs) if pairs else same
    yield _table("metric", comparison.metrics)
    changed = comparison.changed_digits
    if changed is None:
        yield f"No image by image comparison: {comparison.not_compared}."
        return
    for words, digits in (
        ("Right in A, wrong in B", changed.right_to_wrong),
        ("Wrong in A, right in B", changed.wrong_to_right),
    ):
        yield f"{words}: {len(digits):,} of the test images"
        if digits:
            yield _digits(digits)


def _differing(pairs: Mapping[str, Pair]) -> dict[str, Pair]:
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _table(title: str, pairs: Mapping[str, Pair]) -> Table:
    table = Table(title, "A", "B")
    for name, pair in pairs.items():
        table.add_row(name, *(_shown(name, value) for value in pair))
    return table


def _digits(digits: list[ChangedDigit]) -> RenderableType:
    table = Table("row", "label", "A predicts", "B predicts")
    for digit in digits[:SHOWN_DIGITS]:
        table.add_row(*map(str, (digit.row, digit.label, digit.read_by_a, digit.read_by_b)))
    more = len(digits) - SHOWN_DIGITS
    return Group(table, f"… and {more:,} more; --json has all") if more > 0 else table


def _shown(name: str, value: Any) -> str:
    """Return a value as text: shares as percentages, digests by their beginning."""
    if value is None:
        return "–"
    if isinstance(value, str) and len(value) >= 40 and set(value) <= set("0123456789abcdef"):
        return value[:12]
    if name == "accuracy_interval":
        return " to ".join(f"{bound:.1%}" for bound in value)
    if "accuracy" in name or "recall" in name:
        return f"{value:.1%}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
