"""Tidy tables and their Markdown and LaTeX."""

import io
import re
from dataclasses import replace

import pandas as pd
import pytest

from intriguing.errors import InputError
from intriguing.stats.agreement import directional_claim
from intriguing.stats.intervals import Interval
from intriguing.tables.html import claims_page, table_page
from intriguing.tables.tidy import (
    COLUMNS,
    column_kind,
    headline,
    tidy,
    to_csv_text,
    to_latex,
    to_markdown,
)

PUBLISHED = pd.DataFrame(
    [
        ("models", "big", "test-error", 0.02, "2.00%", 1_000_000),
        ("models", "big", "distortion", 0.062, "0.062", 256),
        ("models", "small_net", "test-error", 0.05, "5.0%", 10_000),
        ("models", "lost", "test-error", 0.1, "10%", 10_000),
        ("spectral", "conv1", "upper-v4", 2.75, "2.75", None),
    ],
    columns=["table", "row", "column", "value", "printed", "sample"],
)
CELLS = {
    ("small_net", "test-error"): Interval(0.25, 0.2, 0.3, n=256, seeds=5),
    ("small_net", "distortion"): Interval(0.1, 0.09, 0.11, n=256, seeds=5),
    ("big", "test-error"): Interval(0.0201, 0.02, 0.0202, n=50_000, seeds=5),
    ("big", "distortion"): Interval(0.0646, 0.06, 0.0692, 256, 1, spread=0.02),
    ("lost", "test-error"): None,
}


@pytest.fixture
def table():
    return tidy(CELLS, PUBLISHED, "models")


def test_cells_keep_their_order_and_meet_the_number_of_the_paper(table):
    assert list(table.columns) == COLUMNS
    assert list(zip(table["row"], table["column"], strict=True)) == list(CELLS)
    assert list(table["verdict"]) == ["differs", "", "agrees", "undecided", ""]
    assert table["published"].fillna(-1).to_list() == [0.05, -1, 0.02, 0.062, 0.1]


def test_table_that_the_paper_does_not_have_has_no_verdicts():
    table = tidy(CELLS, PUBLISHED, "minimal")
    assert table["published"].isna().all()
    assert "differs" not in to_markdown(table)
    assert (table["verdict"] == "").all()


def test_layers_are_judged_by_the_rounding_alone():
    exact = {("conv1", "upper-v4"): Interval(2.751, 2.7509, 2.7511)}
    table = tidy(exact, PUBLISHED, "spectral")
    assert table["verdict"].item() == "agrees"
    assert "| 2.751 [2.751, 2.751] (paper 2.75) = |" in to_markdown(table)
    assert table[["n", "seeds"]].isna().all(axis=None)


BIG = "big", "distortion"


@pytest.mark.parametrize(
    ("cells", "published", "told"),
    [
        (
            {BIG: replace(CELLS[BIG], spread=None)},
            PUBLISHED,
            r"big.*distortion.*spread",
        ),
        (CELLS, PUBLISHED.drop(columns="printed"), "printed"),
        (CELLS, pd.concat([PUBLISHED, PUBLISHED.head(1)]), "twice"),
    ],
)
def test_published_numbers_that_cannot_be_compared_are_refused(cells, published, told):
    with pytest.raises(InputError, match=told):
        tidy(cells, published, "models")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("distortion", "distortion"),
        ("distortion-ratio", "distortion"),
        ("test-error", "rate"),
        ("FC10-1", "rate"),
        ("upper-v4", "number"),
        ("in-channels", "number"),
    ],
)
def test_name_of_a_column_says_its_kind(column, kind):
    assert column_kind(column) == kind
    assert column_kind(column, {column: "number"}) == "number"


def test_csv_has_six_digits_and_is_empty_where_nothing_applies(table):
    lines = to_csv_text(table).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[2] == "small_net,distortion,0.1,0.09,0.11,256,5,,"
    assert lines[5] == "lost,test-error,,,,,,0.1,"
    third = tidy({("a", "b"): Interval(1 / 3, 1e-7 / 3, 2 / 3)}, PUBLISHED, "x")
    assert to_csv_text(third).endswith("a,b,0.333333,3.33333e-08,0.666667,,,,\n")


def test_csv_can_be_read_back_to_the_same_texts(table):
    again = pd.read_csv(io.StringIO(to_csv_text(table)))
    assert to_csv_text(again.astype({"n": "Int64", "seeds": "Int64"})) == to_csv_text(
        table
    )
    assert to_markdown(again) == to_markdown(table)
    assert to_latex(again) == to_latex(table)


def test_markdown_shows_measured_interval_paper_and_mark(table):
    lines = to_markdown(table).splitlines()
    assert lines[0] == "|  | test-error | distortion |"
    assert lines[2] == (
        "| small_net | 25.0% [20.0, 30.0] (paper 5%) ≠ | 0.100 [0.0900, 0.110] |"
    )
    assert lines[3] == (
        "| big | 2.01% [2.00, 2.02] (paper 2%) = "
        "| 0.0646 [0.0600, 0.0692] (paper 0.062) ~ |"
    )
    assert lines[4] == "| lost | -- (paper 10%) |  |"
    assert "≠ differs" in lines[-1]


def test_a_note_stands_below_the_table(table):
    assert to_markdown(table, note="Mind this.").endswith("undecided. Mind this.\n")
    assert "undecided. Mind this.</p>" in table_page(table, "A", note="Mind this.")
    bare = tidy({("a", "b"): None}, PUBLISHED, "none")
    assert to_markdown(bare, note="Mind this.").endswith("\nMind this.\n")


def test_a_setting_that_cannot_fail_has_no_verdict():
    own = pd.DataFrame([("models", "big", "big", 1.0, "100%", 256)])
    published = own.set_axis(PUBLISHED.columns, axis=1)
    table = tidy({("big", "big"): Interval(1, 0.9, 1)}, published, "models")
    assert (table["published"].item(), table["verdict"].item()) == (1, "")


def test_kind_can_be_given_for_a_column_whose_name_does_not_say_it():
    table = tidy({("a", "ratio"): Interval(3.0, 2.0, 4.0)}, PUBLISHED, "x")
    assert "3 [2, 4]" in to_markdown(table, {"ratio": "number"})
    assert "3 &" not in to_latex(table)
    assert "{[2, 4]}" in to_latex(table, {"ratio": "number"})


def test_latex_is_safe_for_siunitx(table):
    """In an S column every cell is a bare number or stands in braces."""
    body = to_latex(table).split("\\midrule\n")[1].split("\\bottomrule")[0]
    cells = [
        cell.strip()
        for line in body.splitlines()
        for cell in line.removesuffix(r"\\").split(" & ")[2:]
    ]
    assert len(cells) == 2 * len(body.splitlines())
    assert all(re.fullmatch(r"[\d.]+|\{.+\}", cell) for cell in cells)


def test_latex_has_rules_escaped_names_and_dashes_for_what_is_missing(table):
    text = to_latex(table)
    assert r"\toprule" in text
    assert r"\bottomrule" in text
    assert r"small\_net" in text
    assert r"lost & ours & {--} & {--} \\" in text
    assert "nan" not in text.lower()
    assert text.count("{") == text.count("}")


def test_headline_nests_rounded_values_and_leaves_out_missing_ones(table):
    assert headline(table) == {
        "small_net": {"test-error": 0.25, "distortion": 0.1},
        "big": {"test-error": 0.0201, "distortion": 0.0646},
    }


def test_pages_show_every_cell_and_claim_and_escape_names():
    table = tidy({("a<b", "c&d"): Interval(0.2, 0.1, 0.3)}, PUBLISHED, "none")
    page = table_page(table, "A & B")
    for text in ("a&lt;b", "c&amp;d", "20.0%", "<h1>A &amp; B</h1>"):
        assert text in page
    interval = Interval(0.2, 0.1, 0.3)
    claim = directional_claim("id", "A exceeds B & C", interval, "tables/x")
    assert "A exceeds B &amp; C" in claims_page([claim])
    assert "0.2<br>[0.1, 0.3]" in claims_page([claim])
