"""Two checkouts in, one page out."""

import tempfile
from pathlib import Path

from intriguing.errors import InputError
from intriguing.workflow.compare import revisions
from intriguing.workflow.compare.causes import (
    Causes,
    Side,
    causes_of,
    possible_causes,
)
from intriguing.workflow.compare.cells import (
    paired,
    read_claims,
    read_statements,
    read_table,
)
from intriguing.workflow.compare.page import Section, comparison_page
from intriguing.workflow.compare.records import read_records
from intriguing.workflow.compare.sources import changed_versions
from intriguing.workflow.files import write_text

NO_RECORDS = (
    "DVC has no records of how the base's results were made, neither in its cache nor "
    "on a remote. The causes are therefore taken from git: all code, data and settings "
    "files upstream that differ, whether or not they changed a number."
)
NOT_HERE = (
    "There are no records here of how these results were made, so no causes are given. "
    "`dvc checkout -f` restores the records."
)
LEGEND = (
    "Rates are fractions. Overlap says whether the two 95 % intervals overlap. The "
    "causes are those of a whole table: they lie upstream of each of its changed "
    "numbers and changed the bytes of what reached the table."
)


def write_comparison(root: Path, base: str, run: str) -> Path:
    """Write ``results/<run>/compare.html``.

    Args:
        root: The checkout whose results are compared with the base's.
        base: Commit, branch or tag.
        run: Name of the run in both.

    Returns:
        The path of the page, relative to ``root``.

    Raises:
        InputError: There is no such commit, or one side has no tables of the run.
    """
    page = Path(f"results/{run}/compare.html")
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        place = Path(folder).resolve() / "base"
        revisions.unpack(root, base, place)
        _require_tables(place, run, f"BASE={base}: git holds no tables of")
        _require_tables(root, run, "There are no tables here of")
        revisions.restore_records(root, base, place)
        write_text(root / page, _page(root, place, base, run))
    return page


def _require_tables(checkout: Path, run: str, problem: str) -> None:
    if not _tables(checkout, run):
        raise InputError(
            f"{problem} the run {run}; "
            f"`git log --oneline -- results/{run}/tables` lists the commits with some"
        )


def _tables(checkout: Path, run: str) -> set[str]:
    return {path.stem for path in (checkout / f"results/{run}/tables").glob("*.csv")}


def _page(root: Path, place: Path, base: str, run: str) -> str:
    before, after = (
        Side(checkout, read_records(checkout / revisions.RECORDS))
        for checkout in (place, root)
    )
    here = revisions.title(root, "HEAD")
    if revisions.is_changed(root):
        here += " — with changes that are not committed"
    notes = [LEGEND]
    if not after.records:
        notes.append(NOT_HERE)
    elif not before.records:
        notes.append(NO_RECORDS)
    if versions := changed_versions(place, root):
        notes.append(f"requirements.lock differs: {', '.join(versions)}.")
    sides = (revisions.title(root, base), here)
    title = f"Run {run}: results of {base} and of this checkout"
    return comparison_page(title, sides, notes, _sections(before, after, run))


def _sections(before: Side, after: Side, run: str) -> list[Section]:
    """Pair the claims and each table, with the causes where numbers changed."""
    claims = f"results/{run}/claims.json"
    statements = [read_statements(one.checkout / claims) for one in (before, after)]
    sources = {"claims": (claims, read_claims)}
    for name in sorted(_tables(before.checkout, run) | _tables(after.checkout, run)):
        sources[name] = (f"results/{run}/tables/{name}.csv", read_table)
    sections = []
    for name, (path, read) in sources.items():
        pairs = paired(read(before.checkout / path), read(after.checkout / path))
        changed = any(one.is_changed for one in pairs)
        causes = _causes(path, before, after) if changed else {}
        sections.append(Section(name, pairs, causes, statements[0] | statements[1]))
    return sections


def _causes(output: str, before: Side, after: Side) -> Causes:
    if not after.records:
        return {}
    if not before.records:
        return possible_causes([output], before.checkout, after)
    return causes_of([output], before, after)
