"""A training's state on disk, so that one that was killed goes on where it was.

The file is named by the stage's key, so it can only be met by a training with the same inputs,
settings and code. It begins with the digest of the rest: a torn or altered one is never used.
"""

import hashlib
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.cache.atomic import atomic_path
from tasks.training.run_log import run_logger

SECONDS_BETWEEN = 5.0
LEAST_SHARE = 100  # training lasts so many times longer than its last checkpoint took to write
_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class TrainingState:
    """Everything a training is between two epochs; the number of the last is that of history rows.

    Attributes:
        weights: one matrix a layer, (outputs, inputs + 1).
        velocity: arrays in the shapes of the layers that are trained.
        best_weights: those of the least validation cost; none without a validation part.
        rng: state of the generator, as NumPy's bit generators tell it.
        history: one mapping an epoch, its number, cost and the like.
    """

    weights: list[np.ndarray]
    velocity: list[np.ndarray]
    best_weights: list[np.ndarray]
    rng: dict[str, Any]
    history: list[dict[str, float]]


class Checkpoint:
    """Where one training keeps its state, every few seconds and at under 1 % of its time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due = time.monotonic() + SECONDS_BETWEEN

    def of_member(self, number: int) -> "Checkpoint":
        """Return where a network of an ensemble keeps its own; that of the first is this one."""
        name = f"{self._path.name}-{number}" if number else self._path.name
        return Checkpoint(self._path.with_name(name))

    def load(self) -> TrainingState | None:
        """Return the state last saved; None where there is none, or with a warning a damaged one.

        Numbers come back bit for bit: arrays as they are, floats through their shortest decimal
        form, which is exact.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        digest, body = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            run_logger().warning("%s: checkpoint damaged, training begins anew", self._path)
            return None
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            told = json.loads(str(arrays["told"]))
            layers = {
                name: [arrays[f"{name}-{number}"] for number in range(count)]
                for name, count in told["layers"].items()
            }
        run_logger().info("going on after epoch %d, as a checkpoint has it", len(told["history"]))
        return TrainingState(**layers, rng=told["rng"], history=told["history"])

    def save_if_due(self, state: TrainingState) -> None:
        """Save the state if the last time is long enough ago."""
        began = time.monotonic()
        if began < self._due:
            return
        self.save(state)
        now = time.monotonic()
        self._due = now + max(SECONDS_BETWEEN, LEAST_SHARE * (now - began))

    def save(self, state: TrainingState) -> None:
        """Put the state in place of the one before, whole or not at all."""
        layers = {name: getattr(state, name) for name in ("weights", "velocity", "best_weights")}
        told = {
            "layers": {name: len(matrices) for name, matrices in layers.items()},
            "rng": state.rng,
            "history": state.history,
        }
        arrays = {
            f"{name}-{number}": matrix
            for name, matrices in layers.items()
            for number, matrix in enumerate(matrices)
        }
        body = io.BytesIO()
        np.savez(body, told=np.array(json.dumps(told)), **arrays)
        with atomic_path(self._path) as new:
            new.write_bytes(hashlib.sha256(body.getvalue()).digest() + body.getvalue())
