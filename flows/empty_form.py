"""Fields that Prefect's UI shows empty, where leaving one out has a meaning of its own.

A form sends whatever its JSON schema gives as a default: with defaults in it, a form would override
the recipe that is chosen above it, or the format that a run was trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import GetJsonSchemaHandler
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

STARTS_EMPTY: JsonDict = {
    "default": {}
}  # schema of a whole group of settings, of which none is set


@dataclass(frozen=True)
class EmptyFields:
    """As an annotation of a group of settings: none of its fields has a default in the schema.

    Attributes:
        note: what to add to a field's description, by its name.
    """

    note: Callable[[str], str] = lambda name: ""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the group's schema; pydantic calls this."""
        schema = handler(core_schema)
        for name, field in handler.resolve_ref_schema(schema)["properties"].items():
            field.pop("default", None)
            field["description"] = f"{field['description']} {self.note(name)}".strip()
        return schema
