"""The account and the results of an imagined sweep, as its report is made from them."""

from typing import Any

from tasks.digits.scores import wilson_interval

ROWS = 1000


def point(accuracy: float | None, **values: Any) -> dict[str, Any]:
    """Return a point's settings and scores; without an accuracy it diverged."""
    low, high = (None, None) if accuracy is None else wilson_interval(round(accuracy * ROWS), ROWS)
    scores = {"validation_accuracy": accuracy, "interval_low": low, "interval_high": high}
    cost, epochs = (None, None) if accuracy is None else (0.25, 30)
    return {**values, **scores, "validation_cost": cost, "epochs_trained": epochs}


def account(grid: dict[str, list[Any]]) -> dict[str, Any]:
    """Return what a sweep's sweep.json holds."""
    return {
        "sweep": "2026-01-02T03-04-05Z-calm-heron",
        "seconds": 12.0,
        "held_out_rows": ROWS,
        "command": "digits train \\\n    --seed 7",
        "source": {"path": "digits.csv", "sha256": "ab" * 32, "bytes": 1234},
        "settings": {
            "seed": 7,
            "folds": 0,
            "grid": grid,
            "training": {"patience": 0, "l2": 0.5, "epochs": 30},
        },
        "code_sha256": "cd" * 32,
        "git": None,
        "packages": {"numpy": "2.3"},
        "python": "3.12",
        "platform": "Linux",
    }


GRID = {"learning_rate": [0.1, 0.2, 9.0], "l2": [0, 1], "epochs": [30]}
RESULTS = [
    point(0.95, learning_rate=0.2, l2=1, epochs=30),
    point(0.945, learning_rate=0.2, l2=0, epochs=30),
    point(0.8, learning_rate=0.1, l2=0, epochs=30),
    point(0.7, learning_rate=0.1, l2=1, epochs=30),
    point(None, learning_rate=9.0, l2=0, epochs=30),
]
