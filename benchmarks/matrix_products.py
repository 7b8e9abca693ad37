"""The matrix products of training and nothing else: no network on the same library is faster."""

import time

import numpy as np

from benchmarks.workloads import Training


def train(work: Training) -> float:
    """Return the seconds of the bare products of as many batches, bias columns included."""
    examples = work.batch_size or work.examples
    images, targets = (whole[:examples] for whole in work.data())
    first = np.insert(images, 0, 1.0, axis=1).T.copy()  # (inputs + 1, examples)
    layers = [np.ones((width + 1, examples), work.dtype) for width in work.sizes[1:-1]]
    inputs = [first, *layers]
    errors = [np.ones((width, examples), work.dtype) for width in work.sizes[1:]]
    errors[-1][:] = targets.T
    weights = [
        np.full((after, before + 1), 0.01, work.dtype)
        for before, after in zip(work.sizes, work.sizes[1:], strict=False)
    ]
    gradients = [np.empty_like(layer) for layer in weights]
    sums = [np.empty_like(error) for error in errors]
    start = time.perf_counter()
    for _ in range(work.epochs * work.examples // examples):
        for layer, before, after in zip(weights, inputs, sums, strict=True):
            np.matmul(layer, before, out=after)
        for number in reversed(range(len(weights))):
            np.matmul(errors[number], inputs[number].T, out=gradients[number])
            if number > 0:
                np.matmul(weights[number][:, 1:].T, errors[number], out=sums[number - 1])
    return time.perf_counter() - start
