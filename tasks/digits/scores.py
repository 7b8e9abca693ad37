"""How well predictions match labels: accuracy with its interval, and each digit on its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tasks.digits.classes import class_numbers

_Z = 1.959963984540054  # the standard normal's 97.5 % point


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion.

    Unlike the textbook's symmetric interval it stays inside 0 … 1 near the ends, where accuracies
    are. Source: Wilson (1927), Probable inference, the law of succession, and statistical
    inference.
    """
    share = right / total
    centre = share + _Z**2 / (2 * total)
    spread = _Z * float(np.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2)))
    scale = 1 + _Z**2 / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def confusion_matrix(
    labels: np.ndarray, predictions: np.ndarray, classes: Sequence[int]
) -> np.ndarray:
    """Count each true class (rows) taken for each class (columns), (classes, classes).

    Args:
        labels: (rows,) the true labels.
        predictions: (rows,) the labels they were taken for.
        classes: the labels there are, ascending.
    """
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (class_numbers(labels, classes), class_numbers(predictions, classes)), 1)
    return counts


def per_digit(matrix: np.ndarray, classes: Sequence[int]) -> pd.DataFrame:
    """Return precision, recall, F1 and support of each class; 0 where a ratio has no cases.

    Args:
        matrix: confusion matrix, true classes in rows.
        classes: their labels, ascending.
    """
    none = np.zeros(len(classes))
    right = np.diag(matrix).astype(float)
    support = matrix.sum(axis=1)
    predicted = matrix.sum(axis=0)
    precision = np.divide(right, predicted, out=none.copy(), where=predicted > 0)
    recall = np.divide(right, support, out=none.copy(), where=support > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=none.copy(), where=both > 0)
    return pd.DataFrame(
        {
            "digit": classes,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "support": support,
        }
    )


def score(labels: np.ndarray, predictions: np.ndarray, classes: Sequence[int]) -> dict[str, Any]:
    """Return accuracy, its interval, the table of classes and the confusion matrix, JSON-ready.

    The arguments are those of `confusion_matrix`.
    """
    matrix = confusion_matrix(labels, predictions, classes)
    right, total = int(np.trace(matrix)), len(labels)
    return {
        "accuracy": right / total,
        "accuracy_interval": list(wilson_interval(right, total)),
        "classes": list(classes),
        "per_digit": per_digit(matrix, classes).to_dict(orient="records"),
        "confusion_matrix": matrix.tolist(),
    }
