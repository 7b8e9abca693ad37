"""The fourth stage: the trained network is scored on the test images it has never seen.

Its figures are drawn here, not in `publish`: drawing takes longer than all the rest of a run in
which nothing is new, and a figure changes only when what it shows does.
"""

import json

import numpy as np
from pydantic import BaseModel, ConfigDict

from network.loss import penalty
from network.shifts import PHASES, UNMOVED, Shifts
from network.weights import load_weights
from tasks.cache.stage import stage
from tasks.cache.store import Store, StoredFile
from tasks.digits.network_outputs import outcome_on
from tasks.digits.table import read_info, read_rows
from tasks.report.examples import square_images, variants
from tasks.shuffle_split import Split
from tasks.train import Trained


class Evaluated(BaseModel):
    """The network's scores, its prediction for each test image, and its figures."""

    model_config = ConfigDict(frozen=True)

    evaluation: StoredFile
    predictions: StoredFile
    figures: dict[str, StoredFile]  # by name: cost.svg, confusion.svg, …
    shifts: Shifts  # what the predictions are averaged over


@stage
def evaluate(
    store: Store,
    trained: Trained,
    split: Split,
    l2: float,
    distortion: float,
    average_shifts: bool,
) -> Evaluated:
    """Score the network on the test split, compute its cost on both splits, and draw the figures.

    Both costs carry the penalty of the training split, so that they differ by the fit alone.

    Args:
        store: where the files are.
        trained: the network.
        split: the images it was trained on, and those it has not seen.
        l2: weight of the penalty it was trained with.
        distortion: strength of the distortions it was trained with, to show some of them.
        average_shifts: whether a prediction is the mean over the image moved by a pixel.
    """
    # pandas and matplotlib are slow to import, and not needed where the stored result is reused.
    import pandas as pd

    from tasks.digits.scores import score
    from tasks.report.contact_sheets import places_shown
    from tasks.report.network_figures import Recognition, draw_network

    layers = load_weights(store.path(trained.weights))
    train, test = store.path(split.train), store.path(split.test)
    classes = read_info(test).classes
    shifts = PHASES if average_shifts else UNMOVED
    seen, unseen = (outcome_on(part, layers, trained.activation, shifts) for part in (train, test))
    l2_part = penalty(layers, l2, len(seen.labels))
    evaluation = {
        **score(unseen.labels, unseen.predictions, classes),
        "train_accuracy": float((seen.predictions == seen.labels).mean()),
        "train_rows": len(seen.labels),
        "test_rows": len(unseen.labels),
        "train_cost": seen.cross_entropy + l2_part,
        "test_cost": unseen.cross_entropy + l2_part,
    }
    table = pd.DataFrame(
        {
            "row": np.arange(len(unseen.labels)),
            "label": unseen.labels,
            "prediction": unseen.predictions,
            "confidence": unseen.confidences,
        }
    )
    places = places_shown(table)
    images = dict(zip(places, square_images(read_rows(test, places)), strict=True))
    matrix = np.array(evaluation["confusion_matrix"])
    with store.scratch() as scratch:
        (scratch / "evaluation.json").write_text(json.dumps(evaluation, indent=2) + "\n")
        table.to_parquet(scratch / "predictions.parquet")
        draw_network(
            scratch / "figures",
            pd.read_parquet(store.path(trained.history)),
            Recognition(images, table, matrix, classes),
            first_layer=layers[0],
            variants=variants(read_rows(train, [0]), distortion) if distortion else None,
        )
        figures = sorted((scratch / "figures").iterdir())
        return Evaluated(
            evaluation=store.keep(scratch / "evaluation.json"),
            predictions=store.keep(scratch / "predictions.parquet"),
            figures={figure.name: store.keep(figure) for figure in figures},
            shifts=shifts,
        )
