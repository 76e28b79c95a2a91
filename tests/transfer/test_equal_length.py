"""Transfer between networks whose perturbations have one length."""

import itertools

import pandas as pd
import pytest

from intriguing.transfer.equal_length import equal_length_cells, strong_to_weak_findings

LINEAR = ("weak", "strong")
NETWORKS = [("weak", 0), ("strong", 0), ("net", 0), ("net", 1), ("net", 2)]


def pairs_with(fooled, images=1000):
    """Return pairs at two lengths, given how many images each pair fools at each."""
    rows = []
    for length in ("times-1", "matched-0.1"):
        for source, target in itertools.product(NETWORKS, NETWORKS):
            count = fooled(length, source, target)
            rows.append((*source, *target, length, images, count))
    columns = ["source", "source_seed", "target", "target_seed"]
    return pd.DataFrame(rows, columns=[*columns, "length", "images", "fooled"])


def test_a_cell_has_the_pairs_of_one_seed_and_those_with_a_convex_network():
    def fooled(_, source, target):
        several = source[0] == target[0] == "net"
        return 900 if several and source[1] != target[1] else 100 * (1 + target[1])

    cells = equal_length_cells(pairs_with(fooled))
    assert cells["times-1:net", "net"].value == pytest.approx(0.2)
    assert cells["times-1:weak", "net"].value == pytest.approx(0.2)
    assert cells["times-1:net", "weak"].value == pytest.approx(0.1)
    assert cells["times-1:weak", "strong"].n == 1000


def test_findings_are_of_the_lengths_that_are_equal():
    def fooled(length, source, target):
        if length == "times-1":
            return 500 if source[0] == "strong" else 100
        return 150 if source[0] == "strong" else 200

    cells = equal_length_cells(pairs_with(fooled))
    (found,) = strong_to_weak_findings(cells, LINEAR)
    assert found.id == "strong-to-weak-matched-0.1"
    assert (found.verdict, found.published) == ("", None)
    assert found.measured == pytest.approx(-0.05)
    assert found.low < -0.05 < found.high
    assert strong_to_weak_findings(cells, LINEAR[:1]) == []
