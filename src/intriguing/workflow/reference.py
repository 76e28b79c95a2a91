"""The parts of config/README.md, and the editors' schema, that the code writes.

``python -m intriguing.workflow.reference`` brings both up to date.
"""

import json
import re
from pathlib import Path

from pydantic import BaseModel

from intriguing.workflow.config import RunConfig, config_table
from intriguing.workflow.convolutions import ConvolutionalRow
from intriguing.workflow.files import write_text
from intriguing.workflow.sheets import AttackRow, ModelRow
from intriguing.workflow.variants import VariantRow

README = Path("config/README.md")
SCHEMA = Path("workflow/schemas/config.schema.json")


def column_table(kind: type[BaseModel]) -> str:
    """Return the columns of a sheet and their meanings as a Markdown table."""
    fields = kind.model_fields.items()
    rows = [f"| `{name}` | {field.description} |" for name, field in fields]
    return "\n".join(["| column | meaning |", "|---|---|", *rows]) + "\n"


def with_tables(text: str) -> str:
    """Return a README with each table between its markers as the code has it now."""
    tables = {
        "keys": config_table(),
        "models": column_table(ModelRow),
        "convolutional": column_table(ConvolutionalRow),
        "attacks": column_table(AttackRow),
        "variants": column_table(VariantRow),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        between = re.compile(f"{begin}.*{end}", re.DOTALL)
        block = f"{begin}\n\n{table}\n{end}"
        text = between.sub(lambda _, block=block: block, text)
    return text


def schema() -> str:
    """Return the JSON schema of the config, by which editors complete and check."""
    return json.dumps(RunConfig.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    write_text(README, with_tables(README.read_text(encoding="utf-8")))
    write_text(SCHEMA, schema())
