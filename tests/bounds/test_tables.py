"""Records, tables and figures of the chapter."""

import numpy as np
import pandas as pd
import pytest
from bounds.small import small_network
from networks import images_of
from torch import nn

from intriguing.bounds import verify
from intriguing.bounds.records import certified_records, constants, require_consistent
from intriguing.bounds.table import (
    CONSTANTS,
    benchmark_entries,
    certified_cells,
    certified_table,
    compact_entries,
    compact_kinds,
    constant_entries,
    depth_entries,
)
from intriguing.errors import InputError
from intriguing.figures.bounds import (
    CAUSES,
    DEPTHS,
    certified_figure,
    depth_figure,
    waterfall_figure,
)
from intriguing.figures.compact import compact_proofs_figure, pareto_front
from intriguing.tables.tidy import frame_of

RECORDS = pd.DataFrame(
    {
        "index": [3, 5, 8, 9],
        "attacked": [1.0, 2.0, 4.0, 0.5],
        "product": [0.1, 0.2, 0.4, 0.05],
        "crown": [0.2, 0.4, 0.8, 0.1],
        "certified": [0.999, 1.98, 3.0, 0.4995],
        "minimal": [1.0, 2.0, 4.0, 0.5],
        "lbfgs": [1.0, 2.04, 4.0, np.inf],
        "on_ball": [True, False, True, True],
    }
)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_records_hold_each_method_from_loose_to_tight(activation):
    model, images = small_network([3, 4, 3], activation), images_of(5, 1, 1, 3)
    labels = model(images).argmax(1)
    labels[0] = (labels[0] + 1) % 3
    found = certified_records(model, images, labels)
    records = found.records
    assert list(records["index"]) == [1, 2, 3, 4]
    assert (records["product"] <= records["crown"] * (1 + 1e-5)).all()
    assert (records["crown"] <= records["certified"] * (1 + 1e-5)).all()
    assert (records["certified"] <= records["attacked"]).all()
    assert verify(model, images[1:], labels[1:], found.certificates).all()


@pytest.mark.parametrize(
    ("certified", "proved", "said"),
    [(1.1, True, "is above the attack"), (0.9, False, "fails the check")],
)
def test_a_wrong_bound_stops_the_step(certified, proved, said):
    records = RECORDS.assign(certified=[0.0, 0.0, certified * 4, 0.0])
    with pytest.raises(ArithmeticError, match=f"image 8: .*{said}"):
        require_consistent(records, np.array([True, True, proved, True]))


def test_constants_are_ordered():
    found = constants(small_network([6, 5, 4, 3]), images_of(20, 1, 2, 3), 0)
    assert list(found) == list(CONSTANTS)
    assert found["median"] <= found["data"] <= found["box"] <= found["lipsdp"]
    assert found["lipsdp"] <= found["product"]


def test_cells_are_shares_of_the_attacked_distance():
    cells = certified_cells("net", RECORDS)
    value = {column: cell.value for (_, column), cell in cells.items()}
    assert value["attacked"] == pytest.approx(1.875)
    assert value["product"] == pytest.approx(0.1)
    assert value["mean"] == pytest.approx((0.999 + 0.99 + 0.75 + 0.999) / 4)
    assert value["median"] == pytest.approx((0.999 + 0.99) / 2)
    assert value["minimal within 1 %"] == 0.75
    assert value["minimal within 0.1 %"] == 0.5
    assert value["lbfgs within 1 %"] == 0.25


def test_a_mean_of_few_images_has_no_interval():
    table = certified_table({"few": RECORDS, "many": pd.concat([RECORDS, RECORDS])})
    ends = table.set_index(["row", "column"])[["low", "high"]]
    assert ends.loc[("few", "mean")].isna().all()
    assert ends.loc[("few", "lbfgs within 1 %")].notna().all()
    assert ends.loc["many"].notna().all(axis=None)


def test_the_benchmark_counts_only_certificates_that_pass():
    decided = pd.DataFrame(
        {
            "status": ["certified", "certified", "falsified", "undecided"],
            "proved": [True, False, False, False],
        }
    )
    known = {"verifier": ["theirs"], "verified": [0.3], "seconds": [9.0]}
    table = frame_of(benchmark_entries(decided, 8.0, pd.DataFrame(known)))
    values = table.set_index(["row", "column"])
    ours = values["value"]["ours"]
    assert dict(ours) == {
        "verified": 0.25,
        "falsified": 0.25,
        "open": 0.5,
        "seconds": 2.0,
    }
    assert values["published"]["theirs", "verified"] == 0.3


def test_every_image_is_a_point_of_the_figure():
    figure = certified_figure({"one": RECORDS, "other": RECORDS})
    first, second = figure.axes[:2]
    titles = [axes.get_title(loc="left") for axes in (first, second)]
    assert titles == ["one", "other"]
    for line, column in zip(
        first.lines, ("product", "crown", "certified"), strict=False
    ):
        np.testing.assert_array_equal(line.get_xdata(), RECORDS["attacked"])
        np.testing.assert_array_equal(line.get_ydata(), RECORDS[column])
    with pytest.raises(InputError, match="at least one network"):
        certified_figure({})


def test_bars_join_the_levels():
    levels = dict(
        zip(CONSTANTS, (100.0, 90.0, 80.0, 50.0, 30.0, 20.0, 5.0), strict=True)
    )
    same = dict.fromkeys(CONSTANTS, 2.0)
    table = frame_of(constant_entries({"linear": same, "net": levels}))
    figure = waterfall_figure(table)
    bars = [(b.get_x(), b.get_x() + b.get_width()) for b in figure.axes[0].patches]
    assert len(bars) == len(CAUSES)
    np.testing.assert_allclose(bars, [(50, 100), (30, 50), (20, 30), (5, 20)])
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["net"]
    factors = [text.get_text() for text in figure.axes[0].texts]
    assert factors == [rf"$\times${n}" for n in ("2.00", "1.67", "1.50", "4.00")]
    with pytest.raises(InputError, match="lacks"):
        waterfall_figure(table[table["column"] != "box"])


def test_the_growth_per_layer_is_the_slope_of_the_logarithms():
    rows = [
        {"depth": depth, "seed": seed, "error": 0.02}
        | {
            name: (k + 1) * (1.5 + k / 10 + seed / 100) ** depth
            for k, name in enumerate(CONSTANTS)
        }
        for depth in (1, 2, 4)
        for seed in (0, 1)
    ]
    table = frame_of(depth_entries(pd.DataFrame(rows)))
    values = table.set_index(["row", "column"])["value"]
    for k, name in enumerate(CONSTANTS):
        middle = np.sqrt((1.5 + k / 10) * (1.51 + k / 10))
        assert values["per layer", name] == pytest.approx(middle)
    assert values["2", "product"] == pytest.approx((1.5**2 + 1.51**2) / 2)
    figure = depth_figure(table)
    (axes,) = figure.axes
    assert list(axes.get_xticks()) == [1, 2, 4]
    assert len(axes.lines) == len(DEPTHS)


FALLS = {"product": 0.4, "liplt": 0.5, "eclipse-fast": 0.55, "lipsdp": 0.6}
FALLS |= {"rank 1": 0.3, "rank 4": 0.35}
PROOFS = pd.DataFrame(
    {
        "depth": depth,
        "seed": seed,
        "family": family,
        "operations": 1e6 * (place + 1) * depth,
        "unexplained": 10 * depth,
        "tightness": (fall + seed / 100) ** depth,
    }
    for depth in (1, 2, 4)
    for seed in (0, 1)
    for place, (family, fall) in enumerate(FALLS.items())
)


def test_noise_is_the_growth_of_tightness_beside_lipsdp():
    table = frame_of(compact_entries(PROOFS))
    values = table.set_index(["row", "column"])["value"]
    for family, fall in FALLS.items():
        growth = np.sqrt(fall * (fall + 0.01))
        assert values[family, "per layer"] == pytest.approx(growth)
        assert values[family, "depth 2"] == pytest.approx(growth**2)
        if family != "lipsdp":
            found = values[family, "per layer / LipSDP"]
            assert found == pytest.approx(growth / np.sqrt(0.6 * 0.61))
    assert values["liplt", "megaflop"] == 8
    assert values["liplt", "unexplained / 1000"] == 0.04
    assert compact_kinds(table)["megaflop"] == "number"


def test_every_depth_is_a_panel_of_all_proofs_with_the_front_of_the_best():
    points = pd.DataFrame(
        {"operations": [4, 1, 2, 2, 3], "tightness": [0.9, 0.2, 0.5, 0.4, 0.5]}
    )
    assert list(pareto_front(points).index) == [1, 2, 0]
    figure = compact_proofs_figure(PROOFS)
    assert len(figure.axes) == 3
    for axes, depth in zip(figure.axes, (1, 2, 4), strict=True):
        front, ranks, *others = axes.lines
        np.testing.assert_allclose(ranks.get_xdata(), [5 * depth, 6 * depth])
        assert len(others) == 4
        # LipSDP is the fourth and the tightest of a list that grows with length.
        np.testing.assert_allclose(front.get_xdata(), np.arange(1, 5) * depth)
