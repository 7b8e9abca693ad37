"""PyTorch at the same workloads: its own layers, loss and optimiser, on the CPU."""

import itertools
import time

import torch

from benchmarks.side_by_side import THREADS
from benchmarks.workloads import Training


def train(work: Training) -> float:
    """Return the seconds of the training loop, the cost of every epoch taken."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    images, targets = map(torch.from_numpy, work.data())
    layers: list[torch.nn.Module] = []
    for inputs, outputs in itertools.pairwise(work.sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.Sigmoid()]
    network = torch.nn.Sequential(*layers[:-1]).to(images.dtype)  # the loss has the last sigmoid
    matrices = [weights for weights in network.parameters() if weights.ndim == 2]
    optimizer = torch.optim.SGD(network.parameters(), lr=work.learning_rate)
    fit = torch.nn.BCEWithLogitsLoss(reduction="sum")
    batch_size = work.batch_size or work.examples
    start = time.perf_counter()
    for _ in range(work.epochs):
        order = torch.randperm(work.examples) if work.batch_size else None
        epoch_cost = torch.zeros(())
        for first in range(0, work.examples, batch_size):
            batch = slice(None) if order is None else order[first : first + batch_size]
            x, y = images[batch], targets[batch]
            optimizer.zero_grad()
            cost = fit(network(x), y) / len(x)
            if work.l2:
                squares = sum((weights**2).sum() for weights in matrices)
                cost = cost + work.l2 / (2 * work.examples) * squares
            cost.backward()
            optimizer.step()
            epoch_cost += cost.detach() * len(x)
        epoch_cost.item()
    return time.perf_counter() - start
