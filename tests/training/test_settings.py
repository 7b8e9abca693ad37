"""Settings: recipes fill in what is not given, single options go over them, ranges are kept."""

import pytest
from pydantic import ValidationError

from flows.recipes import RECIPES
from flows.settings import Settings
from tasks.training.settings import TrainingSettings


def test_the_default_recipe_is_the_defaults() -> None:
    """A form filled with defaults, a call without arguments and the default recipe agree."""
    assert Settings().training == RECIPES[Settings().recipe] == TrainingSettings()


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_what_is_not_given(recipe: str) -> None:
    """Naming a recipe gives its settings; an option given with it changes that one alone."""
    assert Settings.model_validate({"recipe": recipe}).training == RECIPES[recipe]
    changed = Settings.model_validate({"recipe": recipe, "training": {"l2": 0.25}}).training
    assert changed == RECIPES[recipe].model_copy(update={"l2": 0.25})


def test_the_classic_recipe_stays_what_it_was() -> None:
    """Classic is a yardstick: one hidden layer of 40, 400 full-batch epochs at 1.2, l2 of 1."""
    classic = RECIPES["classic"]
    assert (classic.hidden_layers, classic.activation) == ((40,), "sigmoid")
    assert (classic.epochs, classic.batch_size, classic.learning_rate) == (400, 0, 1.2)
    assert (classic.l2, classic.momentum, classic.distortion) == (1.0, 0.0, 0.0)
    assert (classic.initialization, classic.schedule) == ("uniform", "constant")
    assert classic.dtype == "float32"


def test_settings_go_through_json_and_back() -> None:
    """What Prefect stores of a run's parameters makes the same settings again."""
    settings = Settings.model_validate({"recipe": "classic", "training": {"epochs": 7}})
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    "given",
    [
        {"training": {"l2": -1}},
        {"training": {"learning_rate": 0}},
        {"training": {"learning_rate": "nan"}},
        {"training": {"hidden_layers": [0]}},
        {"training": {"momentum": 1}},
        {"split": {"train_fraction": 1}},
        {"data": {"pixel_max": 0}},
        {"seed": -1},
        {"recipe": "secret"},
        {"colour": "red"},
        {"training": {"colour": "red"}},
        {"training": 3},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(given: dict[str, object]) -> None:
    """No run starts on a setting that can't be meant, or on one that does not exist."""
    with pytest.raises(ValidationError):
        Settings.model_validate(given)


def test_every_setting_has_a_title_and_a_description() -> None:
    """The form in Prefect's UI explains each of its fields."""
    schema = Settings.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    for model in models:
        for name, field in model["properties"].items():
            assert field.get("title"), name
            assert field.get("description"), name
