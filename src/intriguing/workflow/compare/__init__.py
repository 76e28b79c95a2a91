"""Results of two runs side by side, with the causes of each difference.

Tables and claims come from a folder or from git, Snakemake's records of how each file
was made from beside the folder or from DVC.
"""

from pathlib import Path

from intriguing.workflow.compare.causes import (
    Causes,
    causes_of,
    changes_since,
    possible_causes,
)
from intriguing.workflow.compare.cells import paired, read_claims, read_table
from intriguing.workflow.compare.page import Section, comparison_page
from intriguing.workflow.compare.sides import Side, two_sides
from intriguing.workflow.compare.sources import changed_versions
from intriguing.workflow.files import write_text

NO_RECORDS = (
    "There are no records of how the base's results were made, neither beside them nor "
    "in DVC's cache or on a remote. The causes are therefore taken from the two "
    "checkouts: all code, data and settings files upstream that differ, whether or not "
    "they changed a number."
)
NOT_HERE = (
    "There are no records here of how these results were made, so no causes are given, "
    "nor whether a table is current. `dvc checkout -f` restores the records."
)
LEGEND = (
    "Rates are fractions. Overlap says whether the two 95 % intervals overlap. The "
    "causes are those of a whole table: they lie upstream of each of its changed "
    "numbers and changed the bytes of what reached the table. A table is not current "
    "where something upstream has been made anew or edited since; the next run makes "
    "it again."
)


def write_comparison(root: Path, base: str, run: str) -> Path:
    """Write ``compare.html`` into a run's folder.

    The arguments are those of `two_sides`, which also says when it fails.

    Returns:
        The path of the page, relative to ``root`` if the run lies there.
    """
    with two_sides(root, base, run) as (before, after):
        notes = [LEGEND, *_notes(before, after)]
        page = comparison_page(
            before.title, after.title, notes, _sections(before, after)
        )
    path = after.results / "compare.html"
    write_text(path, page)
    return path.relative_to(root) if path.is_relative_to(root) else path


def _notes(before: Side, after: Side) -> list[str]:
    notes = []
    if not after.records:
        notes.append(NOT_HERE)
    elif not before.records:
        notes.append(NO_RECORDS)
    if versions := changed_versions(before.checkout, after.checkout):
        notes.append(f"requirements.lock differs: {', '.join(versions)}.")
    return notes


def _sections(before: Side, after: Side) -> list[Section]:
    """Pair the claims and each table, with the causes where numbers changed."""
    tables = {p.name for s in (before, after) for p in s.results.glob("tables/*.csv")}
    sections = []
    for path in ("claims.json", *(f"tables/{name}" for name in sorted(tables))):
        read = read_claims if path == "claims.json" else read_table
        pairs = paired(read(before.results / path), read(after.results / path))
        causes = {} if pairs["same"].all() else _causes(path, before, after)
        stale = changes_since(path, after)
        sections.append(Section(Path(path).stem, pairs, causes, stale))
    return sections


def _causes(output: str, before: Side, after: Side) -> Causes:
    if not after.records:
        return {}
    if not before.records:
        return possible_causes(output, before.checkout, after)
    return causes_of(output, before, after)
