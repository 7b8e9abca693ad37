"""Named settings of the training: what to start from when no single option is given."""

from typing import Any

RECIPES: dict[str, dict[str, Any]] = {
    # Full-batch gradient descent on one small hidden layer, as first courses teach it.
    "classic": {
        "hidden_layers": (40,),
        "learning_rate": 1.2,
        "l2": 1.0,
        "epochs": 400,
        "batch_size": 0,
        "momentum": 0.0,
    },
}
