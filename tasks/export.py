"""A run's network for other tools: plain arrays with metadata, nothing pickled."""

import hashlib
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.cache.atomic import atomic_path
from tasks.errors import InputError
from tasks.runs.model import SavedModel, describe_network, load_model
from tasks.runs.onnx_graph import onnx_bytes

ExportFormat = Literal["npz", "onnx", "safetensors"]


class Exported(BaseModel):
    """What was written; the object that `digits export --json` prints."""

    model_config = ConfigDict(frozen=True)

    path: Path
    sha256: str
    format: ExportFormat
    run: str


def export_run(
    run_folder: Path, export_format: ExportFormat, output: Path | None = None
) -> Exported:
    """Write a run's network as one file; the same network gives the same bytes.

    Args:
        run_folder: the run whose network is exported.
        export_format: what kind of file.
        output: the file to write; one that exists is replaced whole, or kept if anything fails. By
            default one named after the run, in `exports` of the run's artifacts folder.

    Raises:
        InputError: the run can't be used, the output is a folder, or the extra is not installed.
        WeightsError: the run's weights are not a list of weight matrices.
    """
    output = output or run_folder.parents[1] / "exports" / f"{run_folder.name}.{export_format}"
    if output.is_dir():
        raise InputError(f"{output}: is a folder. Name a file with `output`.")
    model = load_model(run_folder)
    content = _as_bytes(model, export_format)
    with atomic_path(output) as new:
        new.write_bytes(content)
    return Exported(
        path=output,
        sha256=hashlib.sha256(content).hexdigest(),
        format=export_format,
        run=model.run,
    )


def _as_bytes(model: SavedModel, export_format: ExportFormat) -> bytes:
    writers: dict[ExportFormat, Callable[[], bytes]] = {
        "npz": lambda: npz_bytes(plain_arrays(model), metadata_of(model)),
        "onnx": lambda: onnx_bytes(model, metadata_of(model)),
        "safetensors": lambda: safetensors_bytes(plain_arrays(model), metadata_of(model)),
    }
    try:
        return writers[export_format]()
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        raise InputError(
            f"`format` {export_format}: the package {package} is not installed. Install the "
            "extra, in the project's folder: .venv/bin/python -m pip install -e '.[export]'"
        ) from error


def plain_arrays(model: SavedModel) -> dict[str, np.ndarray]:
    """Return the network's arrays by name, of the type it was trained in.

    Returns:
        For each layer, from 1: `layer_1_weights` (outputs, inputs) and `layer_1_bias` (outputs,).
    """
    arrays = {}
    for number, layer in enumerate(model.weights, start=1):
        # Copies, because safetensors writes the memory behind an array, also behind a view.
        arrays[f"layer_{number}_weights"] = np.ascontiguousarray(layer[:, 1:])
        arrays[f"layer_{number}_bias"] = np.ascontiguousarray(layer[:, 0])
    return arrays


def metadata_of(model: SavedModel) -> str:
    """Return as JSON what is needed, besides the arrays, to use the network."""
    return json.dumps({"run": model.run, **describe_network(model)})


def npz_bytes(arrays: dict[str, np.ndarray], metadata: str) -> bytes:
    """Return a `.npz` that loads with `allow_pickle=False`; its `metadata` is a JSON string."""
    file = BytesIO()
    np.savez(file, allow_pickle=False, metadata=np.array(metadata), **arrays)
    return file.getvalue()


def safetensors_bytes(arrays: dict[str, np.ndarray], metadata: str) -> bytes:
    """Return a `.safetensors` whose header holds the JSON string under `metadata`.

    Raises:
        ModuleNotFoundError: safetensors is not installed; it is an extra.
    """
    from safetensors.numpy import save

    # One key: the order of several in the header changes from one call to the next.
    return save(arrays, metadata={"metadata": metadata})
