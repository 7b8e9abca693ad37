"""Several networks merged into one that averages their outputs, in the same plain list of matrices.

The members are blocks of one wider network, without connections between them before its output, so
everything that can use one network can use the ensemble.
"""

from collections.abc import Sequence

import numpy as np


def merge(members: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Return one network whose output sums z are the mean of the members'.

    Averaging before the sigmoid is the geometric mean of the members' odds.

    Args:
        members: networks of the same inputs, outputs, depth and number type, one or more; each
            is one matrix a layer, (outputs, inputs + 1), bias in column 0.

    Returns:
        One matrix a layer: the hidden layers of all members stacked, each connected to its own
        member alone, and an output layer that is connected to all of them.

    Raises:
        ValueError: the members differ in depth, inputs, outputs or number type.
    """
    ends = {(m[0].shape[1], len(m[-1]), len(m), m[0].dtype) for m in members}
    if len(ends) != 1:
        raise ValueError(f"{len(members)} members of different inputs, outputs, depth or type")
    *hidden, last = zip(*members, strict=True)  # by layer, the matrices of all members
    if not hidden:
        return [np.mean(last, axis=0)]
    first, *inner = hidden
    output = np.hstack([np.mean([m[:, :1] for m in last], axis=0), *(m[:, 1:] for m in last)])
    output[:, 1:] /= len(members)
    return [np.vstack(first), *map(_block_diagonal, inner), output]


def split(network: Sequence[np.ndarray], count: int) -> list[list[np.ndarray]]:
    """Return the members that a network was merged of, all of the same hidden layers.

    Of their output biases the network has only the mean, which each of them gets.

    Args:
        network: one matrix a layer, (outputs, inputs + 1), bias in column 0.
        count: how many members there are, 1 or more.

    Raises:
        ValueError: the network was not merged of so many.
    """
    *hidden, last = network
    members = []
    for number in range(count):
        first, *inner = (layer[_share(number, count, len(layer))] for layer in hidden)
        own = [first]
        for layer in (*inner, last):
            columns = layer[:, 1:][:, _share(number, count, layer.shape[1] - 1)]
            own.append(np.hstack([layer[:, :1], columns]))
        own[-1][:, 1:] *= count
        members.append(own)
    if not all(map(np.array_equal, merge(members)[:-1], hidden)):
        raise ValueError(f"a network that was not merged of {count} with equal hidden layers")
    return members


def _share(number: int, count: int, size: int) -> slice:
    return slice(size * number // count, size * (number + 1) // count)


def _block_diagonal(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Return the matrices as the diagonal of one, biases in column 0 and zeros elsewhere."""
    outputs = sum(len(m) for m in matrices)
    inputs = sum(m.shape[1] - 1 for m in matrices)
    whole = np.zeros((outputs, inputs + 1), matrices[0].dtype)
    row, column = 0, 1
    for m in matrices:
        whole[row : row + len(m), 0] = m[:, 0]
        whole[row : row + len(m), column : column + m.shape[1] - 1] = m[:, 1:]
        row, column = row + len(m), column + m.shape[1] - 1
    return whole
