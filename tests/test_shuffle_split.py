"""The split: sizes to the row, every row once, a seed's order, shares of each digit."""

import numpy as np
import pytest

from tasks.errors import DataError
from tasks.shuffle_split import split_rows

LABELS = np.repeat(np.arange(10), 500)


@pytest.mark.parametrize("stratify", [False, True])
def test_five_thousand_rows_part_into_four_and_one_thousand(stratify: bool) -> None:
    """At 0.8 exactly 4,000 rows train and 1,000 test, and every row is in one part, once."""
    train, test = split_rows(LABELS, 0.8, stratify, np.random.default_rng(0))
    assert (len(train), len(test)) == (4000, 1000)
    assert sorted([*train, *test]) == list(range(5000))


def test_stratified_split_keeps_each_digits_share() -> None:
    """Stratified, every digit has 400 of its 500 images in the training part."""
    train, _ = split_rows(LABELS, 0.8, True, np.random.default_rng(0))
    assert np.bincount(LABELS[train]).tolist() == [400] * 10


@pytest.mark.parametrize("stratify", [False, True])
def test_both_parts_are_shuffled(stratify: bool) -> None:
    """Neither part keeps the file's order, where each digit's images may lie together."""
    for part in split_rows(LABELS, 0.8, stratify, np.random.default_rng(0)):
        assert (np.diff(LABELS[part]) < 0).any()


def test_stratified_rounding_never_costs_a_row() -> None:
    """With awkward counts the whole is still the nearest to the fraction asked for."""
    labels = np.repeat(np.arange(10), [3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    train, test = split_rows(labels, 0.7, True, np.random.default_rng(1))
    assert len(train) == round(39 * 0.7)
    assert len(train) + len(test) == 39


def test_the_seed_decides_the_order() -> None:
    """The same seed gives the same rows, another seed others."""
    first, again, other = (
        split_rows(LABELS, 0.8, False, np.random.default_rng(seed))[0] for seed in (5, 5, 6)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_too_few_rows_are_refused_with_a_remedy() -> None:
    """A part without rows is an error that names the count, the fraction and the option."""
    with pytest.raises(DataError, match=r"2 rows .* `train_fraction` 0\.9: .*would be empty"):
        split_rows(np.array([1, 2]), 0.9, False, np.random.default_rng(0))
