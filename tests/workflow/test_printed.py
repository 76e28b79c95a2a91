"""The numbers that the paper prints, counted once, and why some differ."""

from fnmatch import fnmatchcase

import pandas as pd
import pytest
from conftest import ROOT

from intriguing.errors import InputError
from intriguing.workflow.printed import (
    UNKNOWN,
    printed_numbers,
    read_reasons,
    reasons_table,
)

HEADER = "row,column,value,low,high,n,seeds,published,verdict\n"
SHEET = ROOT / "docs/reasons.tsv"


def write_table(path, rows):
    """Write a table whose cells show the measured number and a mark."""
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    table = pd.read_csv(path).pivot(index="row", columns="column", values="value")
    lines = [f"|  | {' | '.join(table.columns)} |", "| --- " * 3 + "|"]
    lines += [
        f"| {row} | {' | '.join(map(str, v))} |" for row, *v in table.itertuples()
    ]
    path.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_number_of_two_versions_counts_once_and_two_numbers_twice(tmp_path):
    rows = [
        f"{row},upper-{version},5,4,6,,,{published},differs"
        for row, version, published in [
            ("conv1", "v4", 2.75),
            ("conv1", "v1", 20),
            ("conv2", "v4", 10),
            ("conv2", "v1", 10),
        ]
    ]
    rows.append("conv1,kernel,11,,,,,11,agrees")
    numbers = printed_numbers(write_table(tmp_path / "spectral.csv", rows))
    assert list(zip(numbers["row"], numbers["published"], strict=True)) == [
        ("conv1", 2.75),
        ("conv1", 20),
        ("conv2", 10),
    ]


def test_each_number_that_differs_has_its_reason_or_none_is_known(tmp_path):
    rows = ["a,x,0.1,0,1,5,5,2,differs", "a,y,0.2,0,1,5,5,2,agrees"]
    rows += ["b,x,0.3,0,1,5,5,2,differs", "b,y,0.4,0,1,5,5,2,undecided"]
    path = write_table(tmp_path / "models.csv", rows)
    reasons = [("models/a/*", "the search"), ("models/*", "another")]
    tables = {"Table 1": path, "Table 2": tmp_path / "none.csv"}
    assert reasons_table(tables, reasons).splitlines()[2:] == [
        "| Table 1 | a, x | 0.1 | the search |",
        "| Table 1 | b, x | 0.3 | another |",
    ]
    assert reasons_table(tables, []).count(UNKNOWN) == 2


@pytest.mark.parametrize("row", ["models/a/x\t", "\tthe search", "models/a/x"])
def test_a_row_without_a_number_or_a_reason_is_refused_by_its_line(tmp_path, row):
    sheet = tmp_path / "reasons.tsv"
    sheet.write_text(f"number\treason\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"reasons.tsv, line 2: give a number"):
        read_reasons(sheet)


def test_every_reason_is_for_a_number_that_the_paper_prints():
    printed = [
        f"{path.stem}/{row}/{column}"
        for path in ROOT.glob("results/*/tables/*.csv")
        for row, column in printed_cells(path)
    ]
    for pattern, _ in read_reasons(SHEET):
        assert any(fnmatchcase(number, pattern) for number in printed), pattern


def printed_cells(path):
    cells = pd.read_csv(path)
    return cells.loc[cells["published"].notna(), ["row", "column"]].itertuples(
        index=False
    )
