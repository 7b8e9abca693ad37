"""Two runs side by side: their inputs, their metrics, and the test digits that changed sides.

The files of a run are taken as they are here; `verify` checks them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks.cache.store import Store
from tasks.errors import InputError
from tasks.runs.changed_digits import ChangedDigits, changed_digits, obstacle
from tasks.runs.folders import METRICS, read_json
from tasks.runs.manifest import Manifest, read_manifest

Pair = tuple[Any, Any]  # of run A and of run B; None where a run has no such thing


class RunComparison(BaseModel):
    """Two runs side by side; the object that `digits compare --json` prints.

    `settings`, `code` and `environment` have what differs, `data` and `metrics` all there is.
    """

    model_config = ConfigDict(frozen=True)

    a: str
    b: str
    settings: dict[str, Pair]
    data: dict[str, Pair]
    code: dict[str, Pair]  # SHA-256 of the source files that stages depend on
    environment: dict[str, Pair]
    metrics: dict[str, Pair]
    changed_digits: ChangedDigits | None
    not_compared: str | None  # why there are no changed digits


def compare(a: Path, b: Path, store: Store) -> RunComparison:
    """Compare two runs.

    Args:
        a: folder of the one run.
        b: folder of the other.
        store: where the outputs of their stages are.

    Raises:
        InputError: a run's manifest or metrics can't be used.
    """
    of_a, of_b = read_manifest(a), read_manifest(b)
    metrics_a, metrics_b = read_json(a / METRICS), read_json(b / METRICS)
    why_not = obstacle(of_a, of_b, store)
    return RunComparison(
        a=of_a.run,
        b=of_b.run,
        settings=_differing(of_a.flat_settings, of_b.flat_settings),
        data=_paired(_data(of_a, metrics_a), _data(of_b, metrics_b)),
        code=_differing(_code(of_a), _code(of_b)),
        environment=_differing(_environment(of_a), _environment(of_b)),
        metrics=_paired(_metrics(a, metrics_a), _metrics(b, metrics_b)),
        changed_digits=None if why_not else changed_digits(of_a, of_b, store),
        not_compared=why_not,
    )


def _data(manifest: Manifest, metrics: Mapping[str, Any]) -> dict[str, Any]:
    train, test = (
        manifest.output("shuffle_split", f"{part}.parquet") for part in ("train", "test")
    )
    initial = manifest.initial_weights
    return {
        "source": str(manifest.source.path),
        "source_bytes": manifest.source.bytes,
        "source_sha256": manifest.source.sha256,
        "initial_weights": initial and str(initial.path),
        "initial_weights_sha256": initial and initial.sha256,
        "train_rows": metrics.get("train_rows"),
        "train_sha256": train and train[1],
        "test_rows": metrics.get("test_rows"),
        "test_sha256": test and test[1],
    }


def _code(manifest: Manifest) -> dict[str, str]:
    """Return the SHA-256 of each source file; several if it was edited between two stages."""
    digests: dict[str, list[str]] = {}
    for stage in manifest.stages.values():
        for module, sha256 in stage.code.items():
            digests.setdefault(module, []).append(sha256)
    return {module: ", ".join(dict.fromkeys(each)) for module, each in digests.items()}


def _environment(manifest: Manifest) -> dict[str, Any]:
    return {
        "python": manifest.python,
        "platform": manifest.platform,
        **manifest.packages,
        **{f"git {name}": value for name, value in (manifest.git or {}).items()},
        "all code": manifest.code_sha256,
    }


def _metrics(folder: Path, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a run that two runs are compared by.

    Raises:
        InputError: one is missing.
    """
    names = ("accuracy", "accuracy_interval", "train_accuracy", "train_cost", "test_cost")
    try:
        recalls = {f"recall of {row['digit']}": row["recall"] for row in metrics["per_digit"]}
        return {name: metrics[name] for name in names} | recalls
    except (KeyError, TypeError) as error:
        path = folder / METRICS
        raise InputError(f"{path}: {error!r}: not a run's metrics. Use another run.") from error


def _paired(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Pair]:
    return {name: (a.get(name), b.get(name)) for name in {**a, **b}}


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Pair]:
    return {name: pair for name, pair in _paired(a, b).items() if pair[0] != pair[1]}
