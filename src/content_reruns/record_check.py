"""Check that outputs have Snakemake's records of how they were made.

Snakemake takes an output without a record as current, whatever code and settings made
it. The module needs the standard library only, as the digest beside it.
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path


class RecordsError(ValueError):
    """Outputs exist without their records; the message names both."""


def missing_records(products: Iterable[Path | str], records: Path | str) -> list[Path]:
    """Return the products that exist without any record.

    Args:
        products: Files or folders that DVC holds. Tables kept in git do not belong
            here, because every fresh clone has them.
        records: Folder of Snakemake's records, ``.snakemake/metadata``.

    Returns:
        The products with finished files, none of which has a record. Files that an
        interrupted job was writing do not count.
    """
    records = Path(records)
    made = recorded(records).keys()
    interrupted = recorded(records.with_name("incomplete")).keys()
    held = {Path(product): set(_files(Path(product))) for product in products}
    return [
        path for path, files in held.items() if files - interrupted and not files & made
    ]


def require_records(products: Iterable[Path | str], records: Path | str) -> None:
    """Refuse products without records.

    Only the main Snakemake process may call this: while the first jobs run, their
    outputs exist before their records.

    Raises:
        RecordsError: One sentence with the products and the remedy.
    """
    unrecorded = missing_records(products, records)
    if unrecorded:
        raise RecordsError(
            f"{', '.join(map(str, unrecorded))}: outputs without Snakemake's records "
            f"in {records}; restore both with `dvc pull` (or `dvc checkout -f`), or "
            "delete the outputs to make them anew"
        )


def recorded(marks: Path) -> dict[Path, Path]:
    """Return Snakemake's files about outputs, by output.

    They are either records of finished outputs or marks of incomplete ones, which a
    killed job left and Snakemake makes anew.
    """
    found = {}
    for mark in _files(marks):
        # Snakemake cuts long names into folders marked with "@".
        parts = (part.removeprefix("@") for part in mark.relative_to(marks).parts)
        try:
            found[Path(urlsafe_b64decode("".join(parts)).decode())] = mark
        except ValueError:
            continue
    return found


def _files(path: Path) -> Iterator[Path]:
    """Yield the files of a product; hidden ones are of DVC, git or half-written."""
    if path.is_file():
        yield path
    elif path.is_dir():
        found = (file for file in path.rglob("*") if file.is_file())
        yield from (file for file in found if not file.name.startswith("."))
