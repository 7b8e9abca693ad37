"""A training's state on disk, so that one that was killed resumes where it was.

The file is named by the stage's key, so only a training with the same inputs, settings and code
finds it. It begins with the digest of the rest: a torn or altered one is never used.
"""

import hashlib
import io
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from network.training_state import TrainingState
from tasks.cache.atomic import atomic_path, clear

SECONDS_BETWEEN = 5.0
LEAST_SHARE = 100  # training lasts so many times longer than its last checkpoint took to write
_DIGEST = hashlib.sha256().digest_size

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """What a checkpoint holds of a training between two epochs.

    Attributes:
        state: of the training; its epoch is the length of the history.
        history: one mapping an epoch, its number, cost and the like.
        best_weights: those of the least validation cost; none without a validation part.
    """

    state: TrainingState
    history: list[dict[str, float]]
    best_weights: list[np.ndarray]


class Checkpoint:
    """Where one training keeps its state, every few seconds and at under 1 % of its time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due = time.monotonic() + SECONDS_BETWEEN

    def load(self) -> Snapshot | None:
        """Return what was saved last; None where nothing was, or with a warning if it is damaged.

        Numbers are restored bit for bit: arrays as they are, floats from their shortest decimal
        form, which is exact.
        """
        if not self._path.is_file():
            clear(self._path)  # a folder or a pipe of its name would be in the way of the next
            return None
        content = self._path.read_bytes()
        digest, body = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            _log.warning("%s: checkpoint damaged, training starts from the beginning", self._path)
            return None
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            header = json.loads(str(arrays["header"]))
            layers = {
                name: [arrays[f"{name}-{number}"] for number in range(count)]
                for name, count in header["layers"].items()
            }
        rng = np.random.default_rng()
        rng.bit_generator.state = header["rng"]
        history = header["history"]
        _log.info("resuming after epoch %d from a checkpoint", len(history))
        state = TrainingState(layers["weights"], layers["velocity"], rng, epoch=len(history))
        return Snapshot(state, history, layers["best_weights"])

    def save_if_due(self, snapshot: Snapshot) -> None:
        """Save the snapshot if the last time is long enough ago."""
        began = time.monotonic()
        if began < self._due:
            return
        self.save(snapshot)
        now = time.monotonic()
        self._due = now + max(SECONDS_BETWEEN, LEAST_SHARE * (now - began))

    def save(self, snapshot: Snapshot) -> None:
        """Put the snapshot in place of the one before, whole or not at all."""
        layers = {
            "weights": snapshot.state.weights,
            "velocity": snapshot.state.velocity,
            "best_weights": snapshot.best_weights,
        }
        header = {
            "layers": {name: len(matrices) for name, matrices in layers.items()},
            "rng": snapshot.state.rng.bit_generator.state,
            "history": snapshot.history,
        }
        arrays: dict[str, Any] = {
            f"{name}-{number}": matrix
            for name, matrices in layers.items()
            for number, matrix in enumerate(matrices)
        }
        body = io.BytesIO()
        np.savez(body, header=np.array(json.dumps(header)), **arrays)
        with atomic_path(self._path) as new:
            new.write_bytes(hashlib.sha256(body.getvalue()).digest() + body.getvalue())
