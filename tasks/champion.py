"""Which run is in use: a new network is promoted if it reads today's test digits at least as well.

Champion and challenger are compared on the same current test split, because the champion's own
figure came from another day's.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from network.model import predict
from network.weights import WeightsError
from tasks.atomic import atomic_path
from tasks.digit_table import Digits
from tasks.errors import InputError
from tasks.images import scaled_images
from tasks.run_folders import champion_name, read_json
from tasks.saved_model import load_model


class Comparison(BaseModel):
    """The champion beside the challenger, on the same test split."""

    model_config = ConfigDict(frozen=True)

    run: str
    accuracy: float
    challenger_accuracy: float
    wrong_to_right: int
    right_to_wrong: int


def compare(artifacts: Path, test: Digits, predictions: np.ndarray) -> Comparison | None:
    """Score the champion on a test split beside a challenger's predictions for it.

    Args:
        artifacts: the artifacts folder.
        test: the test split.
        predictions: (rows,) what the challenger takes each digit for.

    Returns:
        None where there is nothing to compare with: no champion, or one that can't be loaded or
        reads images of another size.
    """
    try:
        name = champion_name(artifacts)
        if name is None:
            return None
        champion = load_model(artifacts / "runs" / name)
    except (InputError, WeightsError, KeyError):
        return None
    if champion.image_side != test.image_side:
        return None
    images = scaled_images(test, champion.weights[0].dtype.name)
    before = predict(champion.weights, images, champion.activation).argmax(axis=1) == test.labels
    now = predictions == test.labels
    return Comparison(
        run=name,
        accuracy=float(before.mean()),
        challenger_accuracy=float(now.mean()),
        wrong_to_right=int((now & ~before).sum()),
        right_to_wrong=int((before & ~now).sum()),
    )


def decide(comparison: Comparison | None, *, nothing_new: bool) -> str:
    """Return the verdict: `promoted`, `kept` (the champion stays) or `unchanged`."""
    if comparison is None:
        return "promoted"
    if nothing_new:
        return "unchanged"
    return "promoted" if comparison.challenger_accuracy >= comparison.accuracy else "kept"


def promote(artifacts: Path, run: str, accuracy: float) -> None:
    """Put a run in use and add it to the history of promotions."""
    path = artifacts / "champion.json"
    history: list[Any] = read_json(path).get("history", []) if path.exists() else []
    entry = {
        "run": run,
        "accuracy": accuracy,
        "promoted": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    with atomic_path(path) as new:
        new.write_text(json.dumps({"run": run, "history": [*history, entry]}, indent=2) + "\n")
