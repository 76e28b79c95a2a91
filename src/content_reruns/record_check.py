"""Refusal of outputs that came without Snakemake's records of how they were made.

Without a record Snakemake takes an output as current, whatever code and settings
made it. Standard library only, as the digest beside it.
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path


class RecordsError(ValueError):
    """Outputs are there and their records are not; the message names both."""


def missing_records(products: Iterable[Path | str], records: Path | str) -> list[Path]:
    """List the products that are there although no record is.

    Args:
        products: what DVC holds, files or folders. Tables kept in git are in every
            fresh clone and do not belong here.
        records: Snakemake's records, ``.snakemake/metadata``.

    Returns:
        The products that hold files, but for those that an interrupted job was
        writing, and of none of whose files there is a record.
    """
    records = Path(records)
    made = recorded(records).keys()
    interrupted = recorded(records.with_name("incomplete")).keys()
    held = {Path(product): set(_files(Path(product))) for product in products}
    return [
        path for path, files in held.items() if files - interrupted and not files & made
    ]


def require_records(products: Iterable[Path | str], records: Path | str) -> None:
    """Refuse to go on with products that came without records.

    To be called by the main Snakemake process only: while the very first jobs run,
    their outputs are there before their records.

    Raises:
        RecordsError: one sentence with the products and the remedy.
    """
    orphans = missing_records(products, records)
    if orphans:
        raise RecordsError(
            f"{', '.join(map(str, orphans))}: outputs without Snakemake's records in "
            f"{records}; restore both with `dvc pull` (or `dvc checkout -f`), or "
            "delete the outputs to make them anew"
        )


def recorded(marks: Path) -> dict[Path, Path]:
    """Find Snakemake's files about outputs, by the output each is named after.

    Records are about finished ones, marks of incompleteness about those that killed
    jobs left, which Snakemake resumes by itself.
    """
    found = {}
    for mark in _files(marks):
        # Long names are cut into folders marked with "@".
        parts = (part.removeprefix("@") for part in mark.relative_to(marks).parts)
        try:
            found[Path(urlsafe_b64decode("".join(parts)).decode())] = mark
        except ValueError:
            continue
    return found


def _files(path: Path) -> Iterator[Path]:
    """Yield the files of a product; hidden ones are DVC's, git's or half-written."""
    if path.is_file():
        yield path
    elif path.is_dir():
        found = (file for file in path.rglob("*") if file.is_file())
        yield from (file for file in found if not file.name.startswith("."))
