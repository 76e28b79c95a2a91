"""What Snakemake defines in a script before it runs the file."""

from typing import Any

snakemake: Any
