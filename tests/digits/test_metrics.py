"""The figures of an evaluation: interval, confusion matrix, precision, recall and F1."""

import numpy as np
import pytest

from tasks.digits.scores import confusion_matrix, per_digit, score, wilson_interval


def test_wilson_interval_is_the_published_one() -> None:
    """The interval agrees with a worked example: 81 of 263, Newcombe (1998), table I."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_interval_stays_inside_zero_and_one() -> None:
    """No accuracy, however good or bad, gets an interval beyond what is possible."""
    assert 0.99 < wilson_interval(10, 10)[1] <= 1.0
    assert 0.0 <= wilson_interval(0, 10)[0] < 0.01
    assert wilson_interval(10, 10)[0] < 1.0


def test_confusion_matrix_has_true_digits_in_rows() -> None:
    """A 3 predicted as an 8 is counted in row 3, column 8."""
    matrix = confusion_matrix(np.array([3, 3, 1]), np.array([8, 3, 1]), range(10))
    assert matrix[3, 8] == 1
    assert matrix.sum() == 3


def test_per_digit_figures_agree_with_scikit_learn() -> None:
    """All four figures are the field's, also for a digit never met and one never predicted."""
    from sklearn.metrics import precision_recall_fscore_support

    rng = np.random.default_rng(4)
    labels = rng.integers(0, 9, 400)  # no nine among the labels
    predictions = np.where(rng.random(400) < 0.7, labels, rng.integers(1, 10, 400))  # never a zero
    predictions[predictions == 0] = 1
    expected = precision_recall_fscore_support(
        labels, predictions, labels=range(10), zero_division=0
    )
    table = per_digit(confusion_matrix(labels, predictions, range(10)), range(10))
    for column, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose(table[column], values, err_msg=column)


def test_score_holds_plain_numbers_only() -> None:
    """A score goes to JSON as it is: NumPy numbers would make Prefect drop the result silently."""
    import json

    scored = score(np.arange(10), np.arange(10), range(10))
    assert json.loads(json.dumps(scored, allow_nan=False))["accuracy"] == 1.0
