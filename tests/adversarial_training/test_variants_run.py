"""Adversarial training in the smoke run; its tuning, a target of its own."""

import itertools
import json

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from scratch import RUN, call, python, twin

from intriguing import load_model

pytestmark = pytest.mark.slow

VARIANTS = ("weight-decay", "dropout", "input-pool", "layer-pools")
NAMES = {"FC100-100-10": "FC100-100-10"} | {
    f"FC100-100-10-{variant}": variant for variant in VARIANTS
}
TEST_IMAGES = 300


def loaded(folder, load):
    """Load the file of every network, by the name of its row."""
    return {row: load(folder / f"{n}/0.safetensors") for n, row in NAMES.items()}


@pytest.fixture(scope="module")
def networks(smoke):
    return loaded(smoke / RUN / "models", load_model)


@pytest.fixture(scope="module")
def made(smoke):
    return loaded(smoke / RUN / "adversarial/lbfgs-test", load_file)


@pytest.fixture(scope="module")
def table(smoke):
    path = smoke / RUN / "tables/adversarial-training.csv"
    return pd.read_csv(path).set_index(["row", "column"])["value"]


def correct(network, images, labels):
    with torch.no_grad():
        return network(images).argmax(1) == labels


def test_the_error_is_what_the_stored_network_predicts(networks, table, digits):
    pixels, expected = (part[:TEST_IMAGES] for part in digits["test"])
    for variant, network in networks.items():
        share = 1 - correct(network, pixels / 255, expected).double().mean().item()
        assert table[variant, "test-error"] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("prefix", ["", "amplified:"])
def test_transfer_is_what_stored_networks_predict_for_stored_images(
    networks, made, table, prefix
):
    for source, target in itertools.product(networks, repeat=2):
        stored = made[source]
        shift = stored["adversarial"] - stored["clean"]
        if prefix:
            size = shift.square().mean((1, 2, 3), keepdim=True).sqrt()
            shift = 0.1 * shift / size.clamp_min(1e-12)
        clean, still = (
            correct(networks[target], images, stored["label"])
            for images in (stored["clean"], stored["clean"] + shift)
        )
        found = table[f"{prefix}{source}", target] * int(clean.sum())
        # One amplified image may sit on a boundary, where rounding decides.
        slack = 1.5 if prefix else 1e-2
        assert abs(found - int((clean & ~still).sum())) < slack


def test_tuning_tries_every_setting_and_no_test_image(smoke, tmp_path):
    tree = twin(smoke, tmp_path / "tree")
    options = ("tuning", "--cores", "2", "--configfile", "config/smoke.yaml")
    call(tree, *python("snakemake", *options))
    found = pd.read_csv(tree / RUN / "tables/tuning.csv")
    assert set(found["column"]) == {"train-error", "held-out-error"}
    settings = (tree / "config/smoke-variants.tsv").read_text().splitlines()[1:]
    assert list(found["row"].unique()) == [line.split("\t")[0] for line in settings]
    for path in (tree / RUN / "tuning").rglob("*.json"):
        counts = json.loads(path.read_text())
        assert counts["train"]["images"] + counts["held-out"]["images"] == 600
    log = call(tree, *python("snakemake", *options, "--detailed-summary"))
    tried = [line for line in log.splitlines() if "\ttune_variant\t" in line]
    assert tried
    assert not any("test.safetensors" in line for line in tried)
