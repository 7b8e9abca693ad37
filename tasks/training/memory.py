"""A network too large for the machine is refused before any memory is allocated for it.

Linux promises more memory than it has, and kills the process that then uses it.
"""

import os
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from network.blocks import rows_in_block
from network.sharding import number_of_shards
from tasks.training.settings import TrainingSettings

MOST = 0.8  # of the machine's memory


def check_memory(sizes: Sequence[int], batch: int, training: TrainingSettings) -> None:
    """Refuse a training that would need more memory than the machine can give.

    Args:
        sizes: inputs, neurons of each layer before the output, outputs.
        batch: examples a step.
        training: the number type and the threads, and the settings to name.

    Raises:
        MemoryError: the training would need more than four fifths of the machine's memory.
    """
    weights = sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
    block = rows_in_block(sizes)
    at_once = min(batch, block)
    # Weights, velocity, a gradient for each shard, and their sum over several blocks.
    layers = weights * (2 + number_of_shards(at_once, training.threads) + (batch > block))
    # Activations and errors; the inputs of this block and of those made ahead.
    examples = 2 * at_once * sum(sizes) + (1 + training.threads) * block * sizes[0]
    need = (layers + examples) * np.dtype(training.dtype).itemsize
    have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if need > MOST * have:
        widths = " and ".join(
            f"`{name}` {' '.join(map(str, given))}"
            for name, given in (
                ("convolutions", training.convolutions),
                ("hidden_layers", training.hidden_layers),
            )
            if given
        )
        raise MemoryError(
            f"{widths}: training would need about {need / 1e9:,.1f} GB of memory; "
            f"this machine has {have / 1e9:,.1f} GB. Choose fewer or narrower layers"
            + (", or `dtype` float32." if training.dtype == "float64" else ".")
        )
