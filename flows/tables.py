"""What the commands show on a terminal: the runs, one run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from tasks.digits.classes import DIGITS, image_noun, label_noun
from tasks.runs.folders import MANIFEST, champion_name, complete_runs, read_json


def runs_table(artifacts: Path) -> pd.DataFrame:
    """Return one row a complete run, newest first: accuracy, verdict, what it was trained on."""
    champion = champion_name(artifacts)
    rows = []
    for folder in complete_runs(artifacts):
        manifest, metrics = read_json(folder / MANIFEST), read_json(folder / "metrics.json")
        rows.append(
            {
                "run": folder.name,
                "accuracy": metrics["accuracy"],
                "verdict": manifest["verdict"],
                "champion": folder.name == champion,
                "ran": [n for n, stage in manifest["stages"].items() if stage["state"] == "ran"],
                "stages": len(manifest["stages"]),
                "seconds": manifest["seconds"],
                "csv": manifest["source"]["path"],
                "train_rows": metrics["train_rows"],
                "test_rows": metrics["test_rows"],
            }
        )
    return pd.DataFrame(rows)


def runs_on_terminal(runs: pd.DataFrame) -> Table:
    """Return the runs as a table to print."""
    table = Table("run", "accuracy", "verdict", "stages run")
    table.columns[0].no_wrap = True
    for run in runs.to_dict(orient="records"):
        table.add_row(
            run["run"] + (" ★" if run["champion"] else ""),
            f"{run['accuracy']:.1%}",
            run["verdict"],
            f"{len(run['ran'])} of {run['stages']}",
        )
    return table


def run_on_terminal(
    folder: Path, manifest: Mapping[str, Any], metrics: Mapping[str, Any]
) -> RenderableType:
    """Return one run to print: how well it reads, its stages with reasons, its settings."""
    low, high = metrics["accuracy_interval"]
    classes = metrics.get("classes", DIGITS)  # none in runs of earlier versions
    stages = Table("stage", "state", "seconds", "why")
    for name, stage in manifest["stages"].items():
        stages.add_row(name, stage["state"], f"{stage['seconds']:.2f}", stage["reason"])
    labels = Table(label_noun(classes), "precision", "recall", "F1", "images")
    for row in metrics["per_digit"]:
        labels.add_row(
            str(row["digit"]),
            *(f"{row[name]:.1%}" for name in ("precision", "recall", "f1")),
            str(row["support"]),
        )
    settings = Table("setting", "value")
    for name, value in pd.json_normalize(dict(manifest["settings"])).iloc[0].items():
        settings.add_row(str(name), str(value))
    return Group(
        f"{manifest['run']}: {metrics['accuracy']:.1%} of {metrics['test_rows']:,} test "
        f"{image_noun(classes)}s read right (95 % interval {low:.1%} to {high:.1%}), "
        f"{manifest['verdict']}",
        stages,
        labels,
        settings,
        f"Report: {folder / 'report.html'}",
    )
