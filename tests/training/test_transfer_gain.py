"""Starting from a trained network pays where there are few images."""

from statistics import mean

import pytest

from benchmarks.transfer import BASE, ON_FEW, shipped_digits, transfer


@pytest.mark.slow
def test_new_digits_are_learnt_better_from_a_network_for_others() -> None:
    """Five digits from 20 images each: at least five points better than from random weights.

    On the test splits of three seeds, with the same settings for both. The networks are narrower
    than the benchmark's and the first is trained for half its epochs, which takes a third of the
    time; layers learnt in fewer epochs are worth less, so the bounds are not easier for it.
    """
    digits = shipped_digits()
    on_many = BASE.model_copy(update={"hidden_layers": (200, 60), "epochs": 100})
    on_few = on_many.model_copy(update=ON_FEW["as they are"])
    outcomes = [transfer(digits, seed, on_few, on_many) for seed in range(3)]
    gains = [outcome.transferred - outcome.scratch for outcome in outcomes]
    assert mean(gains) >= 0.05
    assert min(gains) > 0
    assert mean(outcome.frozen - outcome.scratch for outcome in outcomes) >= 0.03
