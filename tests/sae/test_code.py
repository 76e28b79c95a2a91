"""Sparse codes: a planted dictionary is found, and sparsity is what it says."""

import pytest
import torch
from networks import seeded
from torch import nn

from intriguing.errors import InputError
from intriguing.sae.code import SparseCode, above, batch_top_k, least_of_batch, top_k
from intriguing.sae.measure import CodeSettings, Layer
from intriguing.sae.quality import agreement, dead_share, purities, quality, unexplained
from intriguing.sae.sweep import sweep_cells, sweep_rows

UNITS, ATOMS, ACTIVE = 16, 32, 2


@pytest.fixture(scope="module")
def planted():
    """Return sums of few atoms of a dictionary, and the dictionary."""
    generator = seeded()
    atoms = torch.randn(ATOMS, UNITS, generator=generator)
    atoms /= atoms.norm(dim=1, keepdim=True)
    chosen = torch.rand(20_000, ATOMS, generator=generator).topk(ACTIVE).indices
    weights = torch.rand(20_000, ACTIVE, generator=generator) + 0.5
    values = torch.zeros(20_000, ATOMS).scatter_(1, chosen, weights)
    return values @ atoms, atoms


@pytest.fixture(scope="module")
def codes(planted):
    settings = CodeSettings(width=2, k=ACTIVE, epochs=24)
    return {
        "found": settings.fit(planted[0], seed=1),
        "again": settings.fit(planted[0], seed=2),
        "frozen": settings.fit(planted[0], seed=1, fixed=("decoder",)),
    }


def test_a_planted_dictionary_is_found_and_a_frozen_decoder_explains_less(
    planted, codes
):
    activations, atoms = planted
    assert unexplained(codes["found"], activations) < 0.1
    assert agreement(atoms.T, codes["found"].directions()) > 0.9
    assert agreement(codes["found"].directions(), codes["again"].directions()) > 0.85
    activations, atoms = planted
    assert unexplained(codes["frozen"], activations) > 0.3
    assert agreement(atoms.T, codes["frozen"].directions()) < 0.8
    start = SparseCode(activations, ATOMS, top_k(ACTIVE), seeded(1)).directions()
    torch.testing.assert_close(codes["frozen"].directions(), start)


def test_a_latent_that_no_image_activates_is_dead(planted, codes):
    code = CodeSettings(width=2, k=ACTIVE, epochs=1).fit(planted[0], seed=3)
    before = dead_share(code, planted[0])
    code.bias.data[:3] = -1e6
    assert dead_share(code, planted[0]) == pytest.approx(before + 3 / ATOMS, abs=0.05)


def test_no_latent_is_dead_where_activations_span_few_directions():
    generator = seeded(6)
    span, _ = torch.linalg.qr(torch.randn(64, 6, generator=generator))
    activations = torch.randn(20_000, 6, generator=generator) @ span.T
    activations += 1e-3 * torch.randn(20_000, 64, generator=generator)
    code = CodeSettings(width=2, k=12, epochs=4).fit(activations, seed=0)
    assert dead_share(code, activations) <= 0.01
    assert unexplained(code, activations) < 0.1
    start = SparseCode(activations, 128, top_k(12), generator).directions()
    lengths = (span.T @ start).norm(dim=0)
    torch.testing.assert_close(lengths, torch.ones(128), atol=1e-3, rtol=0)


def test_top_k_keeps_the_largest_of_each_image_or_of_the_batch():
    values = torch.tensor([[3.0, -1.0, 2.0, 1.0], [-1.0, -2.0, 5.0, -3.0]])
    expected = [[3, 0, 2, 0], [0, 0, 5, 0]]
    assert top_k(2)(values).tolist() == expected
    values = torch.tensor([[3.0, 2.5, 2.0, 0.1], [0.2, 0.3, 5.0, -3.0]])
    kept = batch_top_k(2)(values)
    assert kept.tolist() == [[3, 2.5, 2, 0], [0, 0, 5, 0]]
    assert above(least_of_batch(values, 2))(values).tolist() == kept.tolist()


def test_more_active_latents_than_latents_are_refused(planted):
    with pytest.raises(InputError, match="k: 99 of 32 latents"):
        CodeSettings(width=2, k=99, epochs=1).fit(planted[0], seed=0)


def test_a_perfect_code_leaves_the_predictions_as_they_were(planted, codes):
    activations, _ = planted
    head = nn.Linear(UNITS, 3).requires_grad_(False)
    labels = head(activations).argmax(1)
    found = quality(codes["found"], head, activations, labels)
    frozen = quality(codes["frozen"], head, activations, labels)
    assert found["accuracy"] == 1
    assert frozen["spliced"] < found["spliced"] <= 1


def test_latents_of_a_planted_dictionary_are_purer_than_units(planted, codes):
    """The label of an image is the atom with the largest weight in it."""
    activations, atoms = planted
    labels = (activations @ atoms.T).argmax(1)
    found = purities(codes["found"], activations, labels, seeded())
    assert found["purity-latents"] > found["purity-units"] + 0.2
    assert found["purity-latents"] > found["purity-random"] + 0.2


def test_a_sweep_has_every_setting_once_and_more_latents_explain_more(planted):
    import pandas as pd

    activations, _ = planted
    head = nn.Sequential(nn.Linear(UNITS, 3)).requires_grad_(False)
    layer = Layer(1, nn.Sequential(), head)
    test = activations[:500], torch.zeros(500, dtype=torch.long)
    settings = CodeSettings(width=2, k=2, epochs=1)
    rows = [
        row
        for seed in (0, 1)
        for row in sweep_rows(layer, activations, test, settings, (1, 2), (2, 4), seed)
    ]
    cells = sweep_cells(pd.DataFrame(rows))
    names = {name for name, _ in cells}
    assert len(names) == 2 * 3
    fvu = {name: cells[name, "fvu"].value for name in names}
    assert fvu["topk:width-2:k-1"] > fvu["topk:width-2:k-2"]
    assert cells["topk:width-2:k-2", "active"].value == pytest.approx(2, abs=0.1)
    assert cells["batch-topk:width-2:k-2", "active"].value == pytest.approx(2, abs=0.3)
