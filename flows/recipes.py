"""Named settings of a training: the defaults that single options change."""

from tasks.training.settings import TrainingSettings

RECIPES = {
    # The defaults: two convolutional layers and a hidden one, of rectifiers, and new distortions of
    # the images every epoch.
    "accurate": TrainingSettings(),
    # Two such networks, trained longer and side by side, merged into one that averages them.
    "best": TrainingSettings(epochs=250, members=2, threads=1),
    # Full-batch gradient descent on one small hidden layer, as first courses teach it.
    "classic": TrainingSettings(
        convolutions=(),
        hidden_layers=(40,),
        activation="sigmoid",
        initialization="uniform",
        epochs=400,
        batch_size=0,
        learning_rate=1.2,
        schedule="constant",
        momentum=0.0,
        l2=1.0,
        distortion=0.0,
        average_shifts=False,
    ),
}


def values_by_recipe(setting: str) -> str:
    """Return a sentence with each recipe's value of a training setting; nothing if they agree."""
    values = {recipe: _in_words(getattr(RECIPES[recipe], setting)) for recipe in RECIPES}
    if len(set(values.values())) == 1:
        return ""
    return f"Recipes: {', '.join(f'{recipe} {value}' for recipe, value in values.items())}."


def _in_words(value: object) -> str:
    if isinstance(value, tuple):
        return " and ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
