"""The JSON schema of configuration files."""

from typing import Any

from pydantic import TypeAdapter

from lotus.config.settings import Settings
from lotus.methods.base import configured, registry


def json_schema() -> dict[str, Any]:
    """Schema of configuration files, with the hyper-parameters of all methods."""
    schema = Settings.model_json_schema()
    of_rows = schema["$defs"]["MethodEntry"]["properties"]
    sections = {
        name: TypeAdapter(registry.method_class(name)).json_schema()
        for name in registry.available()
    }
    schema["properties"]["methods"]["properties"] = {
        name: {
            "description": configured.describe(name).idea,
            **section,
            "properties": {**section["properties"], **of_rows},
        }
        for name, section in sections.items()
    }
    return schema
