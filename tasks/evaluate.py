"""The fourth stage: the trained network reads the test digits it has never seen.

What there is to see of it is drawn here too, not in `publish`: figures take longer than all the
rest of a run in which nothing is new, and they change only when what they show does.
"""

import json

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from network.activations import sigmoid
from network.loss import cross_entropy, penalty
from network.model import weighted_sums
from network.weights import load_weights
from tasks.cache.stage import stage
from tasks.cache.store import Store, StoredFile
from tasks.digits.network_inputs import labels_of, one_hot, scaled_images
from tasks.digits.scores import score
from tasks.digits.table import read_digits
from tasks.report.examples import square_images, variants


class Evaluated(BaseModel):
    """How well the network reads, and what it read each test digit as."""

    model_config = ConfigDict(frozen=True)

    evaluation: StoredFile
    predictions: StoredFile
    figures: dict[str, StoredFile]  # by name: cost.svg, confusion.svg, …


@stage(
    "tasks/evaluate.py",
    "tasks/report/charts.py",
    "tasks/digits/classes.py",
    "tasks/report/contact_sheets.py",
    "tasks/digits/table.py",
    "tasks/report/figure_style.py",
    "tasks/report/network_figures.py",
    "tasks/digits/network_inputs.py",
    "tasks/digits/scores.py",
    "tasks/report/examples.py",
    "tasks/report/sheet.py",
    "network",
)
def evaluate(
    store: Store,
    weights: StoredFile,
    history: StoredFile,
    train: StoredFile,
    test: StoredFile,
    activation: str,
    l2: float,
    distortion: float,
) -> Evaluated:
    """Score the network on the test split, take its cost on both splits, and draw the figures.

    Both costs carry the penalty of the training split, so that they differ by the fit alone.

    Args:
        store: where the files are.
        weights: the network's.
        history: the cost of every epoch of its training.
        train: the split it was trained on.
        test: the split it has not seen.
        activation: function of its hidden layers.
        l2: weight of the penalty it was trained with.
        distortion: strength of the distortions it was trained with, to show some of them.
    """
    # Matplotlib is slow to import, and whoever finds the result stored has no need of it.
    from tasks.report.network_figures import draw_network

    layers = load_weights(store.path(weights))
    dtype = layers[0].dtype.name
    seen, unseen = read_digits(store.path(train)), read_digits(store.path(test))
    sums = {}
    costs = {}
    for name, digits in (("train", seen), ("test", unseen)):
        images = scaled_images(digits, dtype)
        sums[name] = weighted_sums(layers, images, activation)
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
    with store.scratch() as scratch:
        (scratch / "evaluation.json").write_text(json.dumps(evaluation, indent=2) + "\n")
        table.to_parquet(scratch / "predictions.parquet")
        draw_network(
            scratch / "figures",
            history=pd.read_parquet(store.path(history)),
            confusion_matrix=evaluation["confusion_matrix"],
            classes=unseen.classes,
            predictions=table,
            images=square_images(unseen),
            first_layer=layers[0],
            variants=variants(seen, distortion) if distortion else None,
        )
        figures = sorted((scratch / "figures").iterdir())
        return Evaluated(
            evaluation=store.keep(scratch / "evaluation.json"),
            predictions=store.keep(scratch / "predictions.parquet"),
            figures={figure.name: store.keep(figure) for figure in figures},
        )
