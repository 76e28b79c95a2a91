"""The tables of config/README.md and the JSON schema of the config.

``python -m intriguing.workflow.reference`` brings both up to date.
"""

import json
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from intriguing.workflow.config import RunConfig, keys
from intriguing.workflow.convolutions import ConvolutionalRow
from intriguing.workflow.files import write_text
from intriguing.workflow.markdown import markdown_table, refreshed
from intriguing.workflow.sheets import AttackRow, ModelRow
from intriguing.workflow.variants import VariantRow

README = Path("config/README.md")
SCHEMA = Path("workflow/schemas/config.schema.json")
SHEETS = {
    "models": ModelRow,
    "convolutional": ConvolutionalRow,
    "attacks": AttackRow,
    "variants": VariantRow,
}


def key_table() -> str:
    """Return every key with its default and meaning as a Markdown table."""
    rows = []
    for key, field in keys(RunConfig):
        default = "" if field.default is None else f"`{json.dumps(field.default)}`"
        rows.append((f"`{key}`", default, _in_one_line(field.description)))
    return markdown_table(("key", "default", "meaning"), rows)


def column_table(kind: type[BaseModel]) -> str:
    """Return the columns of a sheet and their meanings as a Markdown table."""
    fields = kind.model_fields.items()
    rows = ((f"`{n}`", _in_one_line(f.description or "")) for n, f in fields)
    return markdown_table(("column", "meaning"), rows)


def _in_one_line(docstring: str) -> str:
    return docstring.replace("\n", " ")


def with_tables(text: str) -> str:
    """Return config/README.md with the tables as the code has them now."""
    tables = {name: partial(column_table, kind) for name, kind in SHEETS.items()}
    return refreshed(text, {"keys": key_table, **tables})


def schema() -> str:
    """Return the JSON schema of the config, by which editors complete and check."""
    text = json.dumps(RunConfig.model_json_schema(), indent=2)
    return text.replace(r"\n", " ") + "\n"  # in descriptions


if __name__ == "__main__":
    write_text(README, with_tables(README.read_text(encoding="utf-8")))
    write_text(SCHEMA, schema())
