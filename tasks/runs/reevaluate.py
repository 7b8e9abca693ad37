"""A published network scored again on its test split, and compared with what its run says."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from network.shifts import PHASES, UNMOVED
from network.weights import WeightsError
from tasks.cache.store import Store, damage
from tasks.digits.network_outputs import outcome_on
from tasks.digits.scores import score
from tasks.digits.table import TableInfo, read_info
from tasks.errors import InputError
from tasks.runs.folders import METRICS, read_json
from tasks.runs.manifest import Manifest
from tasks.runs.model import MODEL, WEIGHTS, SavedModel, describe_model, load_model


@dataclass(frozen=True)
class Reevaluation:
    """A network's accuracy computed again, and where that is not what its run says.

    Attributes:
        accuracy: on the test split; None where weights or split can't be used.
        test_rows: digits of the test split; None likewise.
        differences: a file, and what is wrong with it.
    """

    accuracy: float | None = None
    test_rows: int | None = None
    differences: list[tuple[str, str]] = field(default_factory=list)


def reevaluate(folder: Path, manifest: Manifest, store: Store) -> Reevaluation:
    """Evaluate a run's weights on its test split, and compare with all that is written down.

    Altered files are not used, except metrics.json, whose fields are compared.

    Args:
        folder: the run's folder.
        manifest: its manifest, which must not contradict itself.
        store: where its stages' outputs are.
    """
    split = _whole_output(manifest, store, "shuffle_split", "test.parquet")
    names = (WEIGHTS, MODEL)
    if split is None or any(damage(folder / n, manifest.files.get(n, "")) for n in names):
        return Reevaluation()
    try:
        model = load_model(folder)
    except WeightsError as error:
        return Reevaluation(differences=[(WEIGHTS, f"can't be used: {error}")])
    except InputError as error:
        return Reevaluation(differences=[(MODEL, f"can't be used: {error}")])
    test = read_info(split)
    if wrong := list(_model_differences(folder, manifest, model, test)):
        return Reevaluation(differences=[(MODEL, each) for each in wrong])
    # By the function that the stage `evaluate` uses: the result is the same to the last bit.
    outcome = outcome_on(split, model.weights, model.activation, model.shifts)
    recomputed = score(outcome.labels, outcome.predictions, test.classes)
    differences = []
    evaluation = _whole_output(manifest, store, "evaluate", "evaluation.json")
    expected = {**(read_json(evaluation) if evaluation else {}), **_as_json(recomputed)}
    if (folder / METRICS).is_file():
        differences += [(METRICS, each) for each in _differences(folder / METRICS, expected)]
    if stored := _whole_output(manifest, store, "evaluate", "predictions.parquet"):
        table = pd.read_parquet(stored)
        if not (
            np.array_equal(table["label"], outcome.labels)
            and np.array_equal(table["prediction"], outcome.predictions)
        ):
            differences.append((f"store/{stored.name}", "is not what the weights predict"))
    return Reevaluation(recomputed["accuracy"], test.rows, differences)


def _whole_output(manifest: Manifest, store: Store, stage: str, file: str) -> Path | None:
    """Return where a stage's output is, or None if it is not what its digest says."""
    output = manifest.output(stage, file)
    if output is None or damage(store.files / output[0], output[1]):
        return None
    return store.files / output[0]


def _model_differences(
    folder: Path, manifest: Manifest, model: SavedModel, test: TableInfo
) -> Iterator[str]:
    """Yield where model.json is not what a run would say of these weights and this split."""
    trained = replace(
        model,
        activation=manifest.stages["train"].settings.get("training.activation", ""),
        shifts=PHASES if manifest.stages["evaluate"].settings.get("average_shifts") else UNMOVED,
        image_side=test.image_side,
        pixel_max=test.pixel_max,
        classes=test.classes,
    )
    expected = describe_model(trained, manifest.files[WEIGHTS])
    yield from _differences(folder / MODEL, expected)


def _differences(path: Path, expected: Mapping[str, Any]) -> Iterator[str]:
    """Yield which fields of a JSON file are not as expected."""
    try:
        found = read_json(path)
    except InputError as error:
        yield f"can't be used: {error}"
        return
    for name, value in expected.items():
        if found.get(name) == value:
            continue
        if isinstance(value, list | dict):
            yield f"does not have the recomputed {name}"
        else:
            yield f"has {name} {found.get(name)!r}, but {value!r} is right"


def _as_json(content: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(content))  # type: ignore[no-any-return]  # an object stays one
