"""Deep networks train: the accuracy on the shipped digits with five hidden layers."""

from pathlib import Path

import numpy as np
import pandas as pd

from network.model import predict
from tasks.digits.table import Digits
from tasks.training.ensemble import member_rng
from tasks.training.fit import fit
from tasks.training.settings import TrainingSettings

CSV = Path(__file__).resolve().parents[2] / "data" / "digits.csv"


def test_five_hidden_layers_of_100_recognise_97_percent() -> None:
    """Gradients reach the first of six layers: a deep net of rectifiers learns as a flat one."""
    table = pd.read_csv(CSV, header=None).to_numpy()
    table = table[np.random.default_rng(0).permutation(len(table))]
    pixels, labels = table[:, :-1].astype("uint8"), table[:, -1].astype("int8")
    training = TrainingSettings(convolutions=(), hidden_layers=(100,) * 5, learning_rate=0.03)
    train = Digits(pixels[:4000], labels[:4000], 20, 255)
    weights, history = fit(train, training, member_rng(0), lambda epoch, cost: None)
    assert [layer.shape[0] for layer in weights] == [100] * 5 + [10]
    predicted = predict(weights, pixels[4000:] / np.float32(255), "relu").argmax(axis=1)
    assert (predicted == labels[4000:]).mean() > 0.97
    assert history["cost"].iloc[-1] < history["cost"].iloc[0] / 5
