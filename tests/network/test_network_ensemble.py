"""An ensemble is one network in the plain format, whose outputs are the mean of its members'."""

from itertools import pairwise

import numpy as np
import pytest

from network.ensemble import merge, split
from network.model import weighted_sums
from network.weights import check_weights


def member(*sizes: int, seed: int = 0, dtype: str = "float64") -> list[np.ndarray]:
    """Return a random network."""
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=(outputs, inputs + 1)).astype(dtype) for inputs, outputs in pairwise(sizes)
    ]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("widths", [[(), ()], [(5,), (7,), (6,)], [(5, 4), (7, 3)], [(3, 4, 5)]])
def test_ensemble_is_the_mean_of_its_members(
    widths: list[tuple[int, ...]], activation: str
) -> None:
    """The sums before the sigmoid are the members' mean, whatever their widths and depth."""
    members = [member(9, *hidden, 10, seed=number) for number, hidden in enumerate(widths)]
    images = np.random.default_rng(5).random((6, 9))
    mean = np.mean([weighted_sums(each, images, activation) for each in members], axis=0)
    ensemble = merge(members)
    assert weighted_sums(ensemble, images, activation) == pytest.approx(mean, abs=1e-12)
    assert len(check_weights(ensemble)) == len(members[0])


def test_ensemble_keeps_the_number_type() -> None:
    """Members in float32 make an ensemble in float32."""
    members = [member(9, 5, 4, 10, seed=seed, dtype="float32") for seed in range(3)]
    assert {layer.dtype for layer in merge(members)} == {np.dtype("float32")}


@pytest.mark.parametrize(
    "other",
    [
        member(8, 5, 10),
        member(9, 5, 9),
        member(9, 5, 5, 10),
        member(9, 5, 10, dtype="float32"),
    ],
)
def test_members_that_do_not_fit_together_are_refused(other: list[np.ndarray]) -> None:
    """Other inputs, outputs, depth or number type are an error, not a stretched network."""
    with pytest.raises(ValueError, match="2 members of different"):
        merge([member(9, 5, 10), other])


@pytest.mark.parametrize("widths", [(5,), (5, 4), (3, 4, 5)])
def test_an_ensemble_is_split_into_its_members(widths: tuple[int, ...]) -> None:
    """Each has its own weights again, and of the output biases their mean."""
    members = [member(9, *widths, 10, seed=number) for number in range(4)]
    parts = split(merge(members), 4)
    mean = np.mean([each[-1][:, 0] for each in members], axis=0)
    for part, each in zip(parts, members, strict=True):
        each[-1][:, 0] = mean
        for ours, theirs in zip(part, each, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-15)


@pytest.mark.parametrize(("widths", "count"), [((6, 4), 2), ((6, 4), 3)])
def test_a_network_that_is_no_ensemble_is_not_split(widths: tuple[int, ...], count: int) -> None:
    """Layers that connect what would be two members, or can't be shared out, are an error."""
    with pytest.raises(ValueError, match=f"not merged of {count}"):
        split(member(9, *widths, 10), count)
