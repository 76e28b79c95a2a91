"""Adversarial training in the smoke run; its tuning, a target of its own."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from scratch import RUN, call, python, smoke_run, twin

from intriguing import load_model

pytestmark = pytest.mark.slow

VARIANTS = ("weight-decay", "dropout", "input-pool", "layer-pools")
NAMES = {"FC100-100-10": "FC100-100-10"} | {
    f"FC100-100-10-{variant}": variant for variant in VARIANTS
}
TEST_IMAGES = 300


@pytest.fixture(scope="module")
def smoke(mnist_raw, tmp_path_factory):
    return smoke_run(tmp_path_factory.getbasetemp(), mnist_raw)


@pytest.fixture(scope="module")
def networks(smoke):
    """Load every network by the name of its row."""
    folder = smoke / RUN / "models"
    return {
        row: load_model(folder / f"{name}/0.safetensors") for name, row in NAMES.items()
    }


@pytest.fixture(scope="module")
def made(smoke):
    folder = smoke / RUN / "adversarial/lbfgs-test"
    return {
        row: load_file(folder / f"{name}/0.safetensors") for name, row in NAMES.items()
    }


@pytest.fixture(scope="module")
def table(smoke):
    path = smoke / RUN / "tables/adversarial-training.csv"
    return pd.read_csv(path).set_index(["row", "column"])["value"]


def right(network, images, labels):
    with torch.no_grad():
        return network(images).argmax(1) == labels


def test_the_error_is_what_the_stored_network_answers(networks, table, mnist_raw):
    images = np.fromfile(mnist_raw / "t10k-images-idx3-ubyte", np.uint8)[16:]
    labels = np.fromfile(mnist_raw / "t10k-labels-idx1-ubyte", np.uint8)[8:]
    pixels = torch.from_numpy(images.reshape(-1, 1, 28, 28)[:TEST_IMAGES].copy()) / 255
    wanted = torch.from_numpy(labels[:TEST_IMAGES].copy())
    for variant, network in networks.items():
        share = 1 - right(network, pixels, wanted).double().mean().item()
        assert table[variant, "test-error"] == pytest.approx(share, abs=1e-6)


def test_transfer_is_what_stored_networks_answer_to_stored_images(
    networks, made, table
):
    for source, target in itertools.product(networks, repeat=2):
        stored = made[source]
        clean = right(networks[target], stored["clean"], stored["label"])
        still = right(networks[target], stored["adversarial"], stored["label"])
        fooled = (clean & ~still).sum() / clean.sum()
        assert table[source, target] == pytest.approx(fooled.item(), abs=1e-5)


def test_amplified_images_are_counted_too(networks, made, table):
    for source, target in itertools.product(networks, repeat=2):
        stored = made[source]
        shift = stored["adversarial"] - stored["clean"]
        size = shift.flatten(1).square().mean(1).sqrt()[:, None, None, None]
        longer = stored["clean"] + 0.1 * shift / size.clamp_min(1e-12)
        clean = right(networks[target], stored["clean"], stored["label"])
        still = right(networks[target], longer, stored["label"])
        fooled = int((clean & ~still).sum())
        found = table[f"amplified:{source}", target] * int(clean.sum())
        # One image may sit on a boundary, where rounding decides.
        assert abs(found - fooled) < 1.5


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
