"""Cells of the tables of bounds, certificates and heuristic estimates."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd

from intriguing.bounds.penalised import (
    best_at_equal_error,
    between_strengths,
    rank_correlation,
)
from intriguing.bounds.records import ATTACKS, CHEAP
from intriguing.stats.intervals import (
    Interval,
    mean_interval,
    median_interval,
    rate_interval,
)
from intriguing.tables.over_seeds import factor_entry, mean_entry
from intriguing.tables.tidy import Cell, Entry, Kinds, own_table

PROVED_MINIMAL = {"1 %": 0.99, "0.1 %": 0.999}
"""Least share of an attack's length that the certified distance is, by its name."""
CERTIFIED_KINDS: Kinds = {
    "attacked": "number",
    **dict.fromkeys((*CHEAP, "mean", "median"), "ratio"),
}
FEW = 6
"""Below, no two images contain the median with 95 %, and Student's interval is vast."""
CONSTANTS = (
    *("product", "liplt", "eclipse-fast", "lipsdp"),
    *("box", "data", "median"),
)
CONSTANT_KINDS: Kinds = dict.fromkeys(CONSTANTS, "number")


def certified_table(networks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tidy table ``certified``: distances as shares of the attacked ones.

    Means and medians of fewer than `FEW` images have no interval.

    Args:
        networks: `certified_records` of each network.
    """
    cells: dict[Cell, Interval] = {}
    for name, records in networks.items():
        cells |= certified_cells(name, records)
    table = own_table(cells)
    few = (table["n"] < FEW) & table["column"].isin(CERTIFIED_KINDS)
    table.loc[few, ["low", "high"]] = np.nan
    return table


def certified_cells(network: str, records: pd.DataFrame) -> dict[Cell, Interval]:
    """Return the cells of one network's row."""
    shares = {
        name: (records[name] / records["attacked"]).to_numpy()
        for name in (*CHEAP, "certified")
    }
    best = shares["certified"]
    cells = {"attacked": mean_interval([records["attacked"].to_numpy()])}
    cells |= {name: mean_interval([shares[name]]) for name in CHEAP}
    cells |= {"mean": mean_interval([best]), "median": median_interval(best)}
    for attack, (name, least) in product(ATTACKS, PROVED_MINIMAL.items()):
        # The radius that is tried is this share, rounded.
        proved = records["certified"] / records[attack] > least - 1e-6
        count = rate_interval([int(proved.sum())], [len(proved)])
        cells[f"{attack} within {name}"] = count
    return {(network, column): cell for column, cell in cells.items()}


def constant_entries(networks: Mapping[str, Mapping[str, float]]) -> list[Entry]:
    """Return rows of the tidy table ``bounds``: one number a network and bound."""
    return [
        Entry(network, name, found[name])
        for network, found in networks.items()
        for name in CONSTANTS
    ]


HEURISTIC_KINDS: Kinds = {
    "measured": "number",
    **dict.fromkeys(("uncorrelated", "units", "layers", "classes"), "ratio"),
    "saving": "number",
    "measured 99 %": "number",
    **dict.fromkeys(("99 % units", "99 % layers", "99 % inputs"), "ratio"),
    **dict.fromkeys(("rare layers", "rare inputs"), "number"),
    "worst": "ratio",
}
SKEWED = ("saving", "rare layers", "rare inputs")


def heuristic_entries(facts: pd.DataFrame) -> list[Entry]:
    """Return rows of the table ``heuristics``: means over the seeds of a network.

    Those of `SKEWED` are geometric: between seeds they differ by factors.

    Args:
        facts: A row for each network and seed, with the column ``network`` and those
            of `HEURISTIC_KINDS`.
    """
    entries = []
    for network, rows in facts.groupby("network", sort=False):
        for column in HEURISTIC_KINDS:
            entry = factor_entry if column in SKEWED else mean_entry
            entries.append(entry(str(network), column, rows[column].tolist()))
    return entries


PER_LAYER = "per layer"
DEPTH_KINDS: Kinds = {"error": "rate", **CONSTANT_KINDS}


def depth_entries(records: pd.DataFrame) -> list[Entry]:
    """Return rows of the table ``depth``: a row a depth, and the growth per layer.

    Args:
        records: ``depth``, ``seed``, test ``error`` and `CONSTANTS` of every network.
    """
    entries = [
        mean_entry(str(depth), column, rows[column].tolist())
        for depth, rows in records.groupby("depth")
        for column in DEPTH_KINDS
    ]
    for column in CONSTANTS:
        factors = [growth(own, column) for _, own in records.groupby("seed")]
        entries.append(factor_entry(PER_LAYER, column, factors))
    return entries


def growth(records: pd.DataFrame, column: str) -> float:
    """Return the factor that a hidden layer more multiplies a bound by, on average."""
    slope = np.polyfit(records["depth"], np.log(records[column]), 1)[0]
    return float(np.exp(slope))


BESIDE_LIPSDP = "per layer / LipSDP"


def compact_kinds(table: pd.DataFrame) -> Kinds:
    """Return the kinds of the columns of the tidy table ``compact-proofs``."""
    counts = "megaflop", "unexplained / 1000"
    columns = table["column"].unique()
    return {name: "number" if name in counts else "ratio" for name in columns}


def compact_entries(records: pd.DataFrame) -> list[Entry]:
    """Return rows of the table ``compact-proofs``, one a family of proofs.

    They have the geometric mean of the tightness at each depth, its growth per hidden
    layer, this growth over that of LipSDP, seed by seed, and the length of the proof of
    the deepest networks.

    Args:
        records: ``depth``, ``seed``, ``family``, ``operations``, ``unexplained`` and
            ``tightness`` of every proof.
    """
    deepest = records[records["depth"] == records["depth"].max()]
    lipsdp = _growths(records[records["family"] == "lipsdp"])
    entries = []
    for family, rows in records.groupby("family", sort=False):
        name = str(family)
        for depth, own in rows.groupby("depth"):
            values = own["tightness"].tolist()
            entries.append(factor_entry(name, f"depth {depth}", values))
        growths = _growths(rows)
        entries.append(factor_entry(name, PER_LAYER, growths.tolist()))
        if name != "lipsdp":
            beside = (growths / lipsdp).tolist()
            entries.append(factor_entry(name, BESIDE_LIPSDP, beside))
        last = deepest[deepest["family"] == family].iloc[0]
        for column, number in (
            ("megaflop", last["operations"] / 1e6),
            ("unexplained / 1000", last["unexplained"] / 1000),
        ):
            entries.append(Entry(name, column, float(number)))
    return entries


def _growths(proofs: pd.DataFrame) -> "pd.Series[float]":
    """Return the growth of the tightness per hidden layer, by seed."""
    found = {seed: growth(own, "tightness") for seed, own in proofs.groupby("seed")}
    return pd.Series(found)


RANKS = {"product": "rank of product", "eclipse": "rank of eclipse"}
PENALTY_KINDS: Kinds = {
    "error": "rate",
    **dict.fromkeys(("distance", "certified", "product", "eclipse"), "number"),
    **dict.fromkeys(("distance over decay", "certified over decay"), "ratio"),
    **dict.fromkeys(RANKS.values(), "number"),
}


def penalty_entries(records: pd.DataFrame) -> list[Entry]:
    """Return rows of the table ``penalties``, means over the seeds.

    The row of a method is of its best networks at equal test error, and that of all
    networks has rank correlations of bounds and distances.

    Args:
        records: As in `penalised.best_at_equal_error`.
    """
    entries = []
    best = best_at_equal_error(between_strengths(records))
    for method, rows in best.groupby("method", sort=False):
        for column in PENALTY_KINDS:
            if column in rows and rows[column].notna().all():
                entries.append(mean_entry(str(method), column, rows[column].tolist()))
    for bound, column in RANKS.items():
        ranks = [rank_correlation(own, bound) for _, own in records.groupby("seed")]
        entries.append(mean_entry("all networks", column, ranks))
    return entries


BENCHMARK_COLUMNS = ("verified", "falsified", "open", "seconds")
BENCHMARK_KINDS: Kinds = {"seconds": "number"}


def benchmark_entries(
    decided: pd.DataFrame, seconds: float, published: pd.DataFrame
) -> list[Entry]:
    """Return rows of the table ``benchmark-sdp-crown``.

    Args:
        decided: Status of each image, and whether its certificate passed the check.
        seconds: For all images, on one thread, certificates and their check.
        published: Verifiers with their rate and seconds an image.
    """
    count = len(decided)
    verified = int((decided["status"].eq("certified") & decided["proved"]).sum())
    falsified = int(decided["status"].eq("falsified").sum())
    totals = verified, falsified, count - verified - falsified, seconds
    entries = [
        Entry("ours", name, total / count, n=count)
        for name, total in zip(BENCHMARK_COLUMNS, totals, strict=True)
    ]
    for line in published.itertuples():
        for name in ("verified", "seconds"):
            known = getattr(line, name)
            entries.append(Entry(line.verifier, name, published=known))
    return entries
