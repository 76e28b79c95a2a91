"""The table of units and the verdicts on the paper's sentences."""

import pandas as pd
import pytest

from intriguing.units.measure import NEURONS, ROTATION
from intriguing.units.table import MEASURES, against_rotations, unit_cells, unit_claims


def measured(gain: float, spread: float = 0.02) -> pd.DataFrame:
    """Return three seeds whose units exceed their rotations by ``gain`` everywhere."""
    rows = []
    for seed in range(3):
        facts = {"network": "net", "seed": seed, "trained": True, "layer": 1}
        values = {ROTATION: [0.5 - spread, 0.5, 0.5 + spread] * 40}
        values[NEURONS] = [0.5 + gain + 0.001 * seed]
        for basis, own in values.items():
            for part, value in enumerate(own):
                basic = {"basis": basis, "part": part}
                rows.append(facts | basic | dict.fromkeys(MEASURES, value))
    return pd.DataFrame(rows)


def test_a_gain_is_the_difference_from_the_rotations_with_an_interval_over_seeds():
    cells = unit_cells(against_rotations(measured(0.2)))
    gain = cells["net:1", "gain-purity"]
    assert gain is not None
    assert gain.value == pytest.approx(0.201)
    assert gain.low < 0.2 < gain.high
    assert gain.seeds == 3
    level = cells["net:1", "purity"]
    assert level is not None
    assert level.value == pytest.approx(0.701)


@pytest.mark.parametrize(
    ("gain", "basis", "distinction"),
    [
        (0.2, "differs", "differs"),
        (0.0, "agrees", "agrees"),
        (-0.2, "agrees", "differs"),
    ],
)
def test_verdicts_follow_their_rules(gain, basis, distinction):
    claims = unit_claims(against_rotations(measured(gain)), ["net"])
    assert [claim.verdict for claim in claims] == [basis, distinction]


def test_a_network_with_fewer_seeds_counts_as_much_as_another():
    first = against_rotations(measured(0.0))
    second = against_rotations(measured(0.1)).assign(network="second")
    both = pd.concat([first, second[second["seed"] < 2]])
    claims = unit_claims(both, ["net", "second"])
    assert claims[0].measured == pytest.approx((0.001 + 0.1005) / 2)


def test_other_networks_do_not_count():
    claims = unit_claims(
        pd.concat(
            [
                against_rotations(measured(0.0)),
                against_rotations(measured(0.9)).assign(network="control"),
            ]
        ),
        ["net"],
    )
    assert claims[0].measured == pytest.approx(0.001)
