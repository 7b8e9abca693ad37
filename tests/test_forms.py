"""The forms of Prefect's UI, by their schemas: what is not touched is as the recipe or run says.

tests/test_browser.py submits one for real.
"""

from typing import Any

import pytest

from flows.predict_settings import PredictSettings
from flows.recipes import RECIPES
from flows.settings import Settings
from flows.sweep_settings import HELD_OUT, SweepSettings


def sent(flow: Any, entered: dict[str, Any]) -> Any:
    """Return the settings that a flow's form sends: what is entered, and the schema's defaults."""
    from prefect.utilities.callables import parameter_schema

    schema = parameter_schema(flow)

    def filled_in(group: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        fields = group["properties"]
        defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
        values = defaults | values
        for name, field in fields.items():
            if name in values and "$ref" in field:
                inner = schema.definitions[field["$ref"].split("/")[-1]]
                values[name] = filled_in(inner, values[name])
        return values

    return filled_in({"properties": schema.properties}, entered)["settings"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_training_fields_that_are_not_touched_are_the_recipes(recipe: str) -> None:
    """A recipe chosen in the form is what trains, and a field entered too changes that alone."""
    from flows.retrain import retrain

    chosen = Settings.model_validate(sent(retrain, {"settings": {"recipe": recipe}}))
    assert chosen == Settings.model_validate({"recipe": recipe})
    given = {"recipe": recipe, "training": {"momentum": 0.25}}
    changed = Settings.model_validate(sent(retrain, {"settings": given})).training
    assert changed == RECIPES[recipe].model_copy(update={"momentum": 0.25})


def test_a_form_that_is_not_touched_is_the_defaults() -> None:
    """A deployment without parameters of its own has the settings of a call without arguments."""
    from flows.retrain import retrain
    from flows.sweep import sweep

    assert Settings.model_validate(sent(retrain, {})) == Settings()
    swept = SweepSettings.model_validate(sent(sweep, {}))
    assert swept == SweepSettings()
    assert swept.training.validation_fraction == HELD_OUT


def test_the_format_of_files_to_predict_is_the_runs_own() -> None:
    """The form says nothing of how tables are read, so they are read as the run's own were."""
    from flows.predict import predict

    assert not PredictSettings.model_validate(sent(predict, {})).data.model_fields_set


def test_training_fields_name_what_each_recipe_sets() -> None:
    """An empty field says what it stands for, where recipes differ."""
    fields = Settings.model_json_schema()["$defs"]["TrainingSettings"]["properties"]
    assert fields["epochs"]["description"].endswith("Recipes: accurate 120, best 250, classic 400.")
    assert fields["convolutions"]["description"].endswith("best 16 and 48, classic none.")
    for name, field in fields.items():
        differ = len({getattr(training, name) for training in RECIPES.values()}) > 1
        assert ("Recipes:" in field["description"]) == differ, name
