"""Which network the setting `initial_weights` means: a run's, or one from anywhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.cache.store import SourceFile
from tasks.errors import InputError
from tasks.runs.find_run import find_run
from tasks.runs.folders import read_json
from tasks.runs.model import MODEL, WEIGHTS
from tasks.training.first_weights import InitialNetwork
from tasks.training.settings import TrainingSettings


def find_initial_network(
    given: str, artifacts: Path, training: TrainingSettings, classes: Sequence[int]
) -> InitialNetwork | None:
    """Return the network that a training starts from; None starts from random weights.

    Its last layer is not used if its outputs are known to be those of other labels.

    Args:
        given: a run as `find_run` takes it, or the path of a weights file; empty for none.
        artifacts: the artifacts folder, where runs are.
        training: settings of the network to be trained.
        classes: the label of each of its outputs.

    Raises:
        InputError: there is no such run or file, or its hidden layers have another activation.
    """
    if not given:
        return None
    path = Path(given)
    if path.suffix != ".pkl" and not path.is_file():
        path = find_run(artifacts, given) / WEIGHTS
    if not path.is_file():
        raise InputError(
            f"{path}: no such file. Give `initial_weights` a run's name, latest, champion, or the "
            "path of a weights.pkl."
        )
    weights = SourceFile.of(path)
    model = _described(weights)
    activation = model.get("activation", training.activation)
    if (training.convolutions or training.hidden_layers) and activation != training.activation:
        raise InputError(
            f"{path}: the hidden layers of this network are {activation}, but `activation` is "
            f"{training.activation}. Give `activation` {activation}, or other `initial_weights`."
        )
    new_outputs = list(model.get("classes", classes)) != list(classes)
    return InitialNetwork(weights=weights, new_outputs=new_outputs)


def _described(weights: SourceFile) -> Mapping[str, Any]:
    """Return what a model.json next to the weights says of them; nothing if there is none."""
    path = weights.path.with_name(MODEL)
    if not path.exists():
        return {}
    model = read_json(path)
    if model.get("weights_file") != weights.path.name:
        return {}
    if model.get("weights_sha256") != weights.sha256:
        raise InputError(
            f"{weights.path}: not the weights that the model.json next to it was written "
            "with. Give other `initial_weights`."
        )
    return model
