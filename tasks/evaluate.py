"""The fourth stage: the trained network is scored on the test images it has never seen.

Its figures are drawn here, not in `publish`: drawing takes longer than all the rest of a run in
which nothing is new, and a figure changes only when what it shows does.
"""

import json

import numpy as np
from pydantic import BaseModel, ConfigDict

from network.activations import sigmoid
from network.loss import cross_entropy, penalty
from network.model import weighted_sums
from network.weights import load_weights
from tasks.cache.stage import stage
from tasks.cache.store import Store, StoredFile
from tasks.digits.network_inputs import labels_of, one_hot, scaled_images
from tasks.digits.table import read_digits
from tasks.report.examples import square_images, variants
from tasks.shuffle_split import Split
from tasks.train import Trained


class Evaluated(BaseModel):
    """The network's scores, its prediction for each test image, and its figures."""

    model_config = ConfigDict(frozen=True)

    evaluation: StoredFile
    predictions: StoredFile
    figures: dict[str, StoredFile]  # by name: cost.svg, confusion.svg, …


@stage
def evaluate(
    store: Store, trained: Trained, split: Split, l2: float, distortion: float
) -> Evaluated:
    """Score the network on the test split, compute its cost on both splits, and draw the figures.

    Both costs carry the penalty of the training split, so that they differ by the fit alone.

    Args:
        store: where the files are.
        trained: the network.
        split: the images it was trained on, and those it has not seen.
        l2: weight of the penalty it was trained with.
        distortion: strength of the distortions it was trained with, to show some of them.
    """
    # pandas and matplotlib are slow to import, and not needed where the stored result is reused.
    import pandas as pd

    from tasks.digits.scores import score
    from tasks.report.network_figures import Recognition, draw_network

    layers = load_weights(store.path(trained.weights))
    dtype = layers[0].dtype.name
    seen, unseen = read_digits(store.path(split.train)), read_digits(store.path(split.test))
    sums = {}
    costs = {}
    for name, digits in (("train", seen), ("test", unseen)):
        images = scaled_images(digits, dtype)
        sums[name] = weighted_sums(layers, images, trained.activation)
        fit = cross_entropy(sums[name], one_hot(digits.labels, digits.classes, dtype))
        fit /= len(digits.labels)
        costs[f"{name}_cost"] = fit + penalty(layers, l2, len(seen.labels))
    probabilities = sigmoid(sums["test"])
    predictions = labels_of(probabilities, unseen.classes)
    evaluation = {
        **score(unseen.labels, predictions, unseen.classes),
        "train_accuracy": float((labels_of(sums["train"], seen.classes) == seen.labels).mean()),
        "train_rows": len(seen.labels),
        "test_rows": len(unseen.labels),
        **costs,
    }
    table = pd.DataFrame(
        {
            "row": np.arange(len(predictions)),
            "label": unseen.labels,
            "prediction": predictions.astype(unseen.labels.dtype),
            "confidence": probabilities.max(axis=1),
        }
    )
    matrix = np.array(evaluation["confusion_matrix"])
    with store.scratch() as scratch:
        (scratch / "evaluation.json").write_text(json.dumps(evaluation, indent=2) + "\n")
        table.to_parquet(scratch / "predictions.parquet")
        draw_network(
            scratch / "figures",
            pd.read_parquet(store.path(trained.history)),
            Recognition(square_images(unseen), table, matrix, unseen.classes),
            first_layer=layers[0],
            variants=variants(seen, distortion) if distortion else None,
        )
        figures = sorted((scratch / "figures").iterdir())
        return Evaluated(
            evaluation=store.keep(scratch / "evaluation.json"),
            predictions=store.keep(scratch / "predictions.parquet"),
            figures={figure.name: store.keep(figure) for figure in figures},
        )
