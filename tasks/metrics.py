"""How well predictions match labels: accuracy with its interval, and each digit on its own."""

from typing import Any

import numpy as np
import pandas as pd

from tasks.images import CLASSES

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


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Count each true digit (rows) taken for each digit (columns), 10 × 10."""
    counts = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def per_digit(matrix: np.ndarray) -> pd.DataFrame:
    """Return precision, recall, F1 and support of each digit; 0 where a ratio has no cases.

    Args:
        matrix: confusion matrix, true digits in rows.
    """
    right = np.diag(matrix).astype(float)
    support = matrix.sum(axis=1)
    predicted = matrix.sum(axis=0)
    precision = np.divide(right, predicted, out=np.zeros(CLASSES), where=predicted > 0)
    recall = np.divide(right, support, out=np.zeros(CLASSES), where=support > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros(CLASSES), where=both > 0)
    return pd.DataFrame(
        {
            "digit": range(CLASSES),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "support": support,
        }
    )


def score(labels: np.ndarray, predictions: np.ndarray) -> dict[str, Any]:
    """Return accuracy, its interval, the per-digit table and the confusion matrix, JSON-ready."""
    matrix = confusion_matrix(labels, predictions)
    right, total = int(np.trace(matrix)), len(labels)
    return {
        "accuracy": right / total,
        "accuracy_interval": list(wilson_interval(right, total)),
        "per_digit": per_digit(matrix).to_dict(orient="records"),
        "confusion_matrix": matrix.tolist(),
    }
