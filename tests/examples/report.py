"""The records of an imagined run, as its report is made from them."""

from typing import Any

import numpy as np

MATRIX = np.diag([9] * 10)
MATRIX[4, 9], MATRIX[7, 1] = 3, 1
METRICS: dict[str, Any] = {
    "accuracy": 90 / 94,
    "accuracy_interval": [0.8957, 0.9833],
    "train_rows": 4000,
    "test_rows": 94,
    "train_accuracy": 0.991,
    "train_cost": 0.21,
    "test_cost": 0.34,
    "per_digit": [
        {"digit": digit, "precision": 0.9, "recall": 0.8, "f1": 0.85, "support": 9}
        for digit in range(10)
    ],
    "classes": list(range(10)),
    "confusion_matrix": MATRIX.tolist(),
    "champion": None,
    "data": {
        "rows": 470,
        "classes": list(range(10)),
        "counts": [47] * 10,
        "ink": [0.2] * 9 + [None],
        "regions": [[0.1, 0.2], [0.3, 0.4]],
        "duplicates": 0,
        "test_images_in_training": 0,
        "before": None,
        "drift": None,
        "not_compared": "there was no champion",
    },
}
SHIFT = {"index": 0.0123, "by_chance": 0.0045, "level": "none"}
DRIFT = {
    "before": {"rows": 500, "counts": [50] * 10, "ink": [0.19] * 10, "regions": [[0.1]]},
    "drift": {
        "run": "earlier",
        "digits": SHIFT,
        "ink": SHIFT | {"index": 0.31, "level": "large"},
        "level": "large",
        "seen_before": 0.875,
    },
    "not_compared": None,
}


def described_stage(state: str, reason: str) -> dict[str, Any]:
    """Return a stage as it stands in the manifest."""
    return {
        "state": state,
        "reason": reason,
        "seconds": 1.5,
        "key": "0" * 64,
        "inputs": {"digits": "1" * 64},
        "outputs": {"train.parquet": "2" * 64},
    }


MANIFEST: dict[str, Any] = {
    "run": "2026-11-22T13-05-11Z-amber-lynx",
    "verdict": "promoted",
    "verdict_reason": "there was no champion to compare it with",
    "started": "2026-11-22T13:05:11Z",
    "finished": "2026-11-22T13:06:29Z",
    "seconds": 78.2,
    "settings": {
        "csv": "data/digits.csv",
        "seed": 3,
        "split": {"train_fraction": 0.8, "stratify": False},
        "training": {
            "convolutions": [],
            "hidden_layers": [300, 100],
            "batch_size": 0,
            "distortion": 1.5,
        },
        "artifacts": "artifacts",
    },
    "initial_weights": None,
    "source": {"path": "data/digits.csv", "sha256": "3" * 64, "bytes": 4_123_456},
    "stages": {
        "ingest": described_stage("cached", "same inputs"),
        "train": described_stage("ran", "learning_rate changed 1.0 → 1.2"),
    },
    "code_sha256": "4" * 64,
    "git": {"commit": "5" * 40, "dirty": True},
    "packages": {"numpy": "2.4.6"},
    "python": "3.11.7",
    "platform": "Linux",
    "flow_run_id": "6043e0e2-2cd1-4982-b036-2c130374f0b4",
}
CHAMPION: dict[str, Any] = {
    "run": "earlier",
    "accuracy": 0.9,
    "left_out": 0,
    "challenger_accuracy": 90 / 94,
    "wrong_to_right": 7,
    "right_to_wrong": 1,
    "p_value": 0.0703,
    "recall_drops": [0.0] * 10,
}
