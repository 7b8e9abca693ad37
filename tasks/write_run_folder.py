"""A run's folder, filled from what the stages made.

The manifest is written last, so a folder without one never was a run.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from network.weights import load_weights
from tasks.cache.atomic import atomic_path
from tasks.cache.store import Store, sha256_of
from tasks.digits.table import Digits
from tasks.evaluate import Evaluated
from tasks.report.report import write_report
from tasks.runs.folders import MANIFEST
from tasks.runs.manifest import write_manifest
from tasks.runs.model import describe_model
from tasks.train import Trained


def write_run_folder(
    folder: Path,
    manifest: dict[str, Any],
    metrics: dict[str, Any],
    store: Store,
    trained: Trained,
    evaluated: Evaluated,
    test: Digits,
) -> str:
    """Add to a run's folder its network, metrics, pictures of the stages, report and manifest.

    Args:
        folder: the run's, not listed by anybody before this returns.
        manifest: what is told of the run; the digests of all files in the folder are added.
        metrics: how well its network reads, and what was found out about its data.
        store: where the stages keep their files.
        trained: the network.
        evaluated: the figures drawn of it.
        test: the digits it was tested on.

    Returns:
        The report in Markdown, for Prefect.
    """
    weights = load_weights(store.path(trained.weights))
    shutil.copyfile(store.path(trained.weights), folder / "weights.pkl")
    model = describe_model(
        weights,
        trained.weights.sha256,
        activation=trained.activation,
        image_side=test.image_side,
        pixel_max=test.pixel_max,
        classes=test.classes,
    )
    _write_json(folder / "model.json", model)
    _write_json(folder / "metrics.json", metrics)
    for name, figure in evaluated.figures.items():
        shutil.copyfile(store.path(figure), folder / "figures" / name)
    report = write_report(folder, manifest, metrics)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
    write_manifest(folder / MANIFEST, {**manifest, "files": digests})
    return report


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as new:
        new.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
