"""Transfer at equal lengths: strong regularisation without longer perturbations.

Networks with strong decay need longer perturbations, and longer perturbations fool
other networks more often. Here all perturbations are scaled to one root mean square
before they are fed to the other networks.
"""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from intriguing.stats.agreement import Claim, finding
from intriguing.stats.intervals import Interval, difference_interval
from intriguing.tables.rates import Cell
from intriguing.tables.row_names import MATCHED_LENGTH
from intriguing.transfer.decomposition import pair_mean

CONVEX = 0
"""Seed of networks that have only one."""


def equal_length_cells(pairs: pd.DataFrame) -> dict[Cell, Interval | None]:
    """Return the fooling rate of each network's images, by length, on each network.

    Args:
        pairs: ``source``, ``target``, ``source_seed``, ``target_seed`` and ``length``;
            the number of ``images`` that the target classifies correctly when clean,
            and of these the number ``fooled``.

    Returns:
        The rates of pairs of one seed, as in Table 2, by ``LENGTH:SOURCE`` and target.
    """
    seeds = pairs["source_seed"], pairs["target_seed"]
    several = [
        pairs.groupby(end)[f"{end}_seed"].transform("max") > CONVEX
        for end in ("source", "target")
    ]
    own = pairs[(seeds[0] == seeds[1]) | ~(several[0] & several[1])]
    own = own.assign(share=own["fooled"] / own["images"])
    names = list(dict.fromkeys(pairs["source"]))
    found: dict[Cell, Interval | None] = {}
    for length in dict.fromkeys(pairs["length"]):
        for source in names:
            some = own[(own["length"] == length) & (own["source"] == source)]
            for target in names:
                rate = pair_mean(some[some["target"] == target])
                found[f"{length}:{source}", target] = rate
    return found


def strong_to_weak_findings(
    cells: dict[Cell, Interval | None], by_decay: Sequence[str]
) -> list[Claim]:
    """Return for each common length the smallest advantage of strong decay.

    ``by_decay`` are linear networks, from the weakest decay to the strongest.
    """
    lengths = dict.fromkeys(row.partition(":")[0] for row, _ in cells)
    return [
        _strong_to_weak(cells, by_decay, length)
        for length in lengths
        if length.startswith(MATCHED_LENGTH) and len(by_decay) > 1
    ]


def _strong_to_weak(
    cells: dict[Cell, Interval | None], by_decay: Sequence[str], length: str
) -> Claim:
    gaps = {}
    for weak, strong in combinations(by_decay, 2):
        there, back = (
            cells[f"{length}:{strong}", weak],
            cells[f"{length}:{weak}", strong],
        )
        if there and back:
            gaps[f"{strong} to {weak}"] = difference_interval(there, back)
    pair, least = min(gaps.items(), key=lambda item: item[1].value)
    deviation = length.removeprefix(MATCHED_LENGTH)
    return finding(
        f"strong-to-weak-{length}",
        "Linear networks, all perturbations scaled to the root mean square "
        f"{deviation}: fooling rate from the more to the less regularised network, "
        "less that in reverse (smallest difference).",
        least,
        f"tables/equal-length: {length}: {pair}",
    )
