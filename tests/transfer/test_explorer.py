"""The page of perturbations holds the networks and images exactly."""

import json
import re
import runpy
from base64 import b64decode

import numpy as np
import pytest
import torch
from conftest import ROOT
from networks import images_of, random_perceptron, store
from safetensors.torch import save_file

from intriguing.errors import InputError
from intriguing.transfer.explorer import (
    chosen_images,
    described_images,
    described_network,
)

TEMPLATE = ROOT / "workflow/report/explore.html"
explorer_page = runpy.run_path(str(ROOT / "scripts/transfer/explorer.py"))["run"]


def made_images(labels, targets, seed=0):
    """Return images with pixels of 8 bits, and other images in place of attacks."""
    clean = (255 * images_of(len(labels), 1, 28, 28, seed=seed)).round() / 255
    adversarial = images_of(len(labels), 1, 28, 28, seed=seed + 1)
    known = {"label": torch.tensor(labels), "target": torch.tensor(targets)}
    index = torch.arange(len(labels))
    return {"clean": clean, "adversarial": adversarial, "index": index, **known}


def decoded(text, kind):
    return np.frombuffer(b64decode(text), kind)


def outputs_of(layers, pixels):
    """Return the logits that a reader of the description computes."""
    for place, layer in enumerate(layers):
        weight = decoded(layer["weight"], "<f4").reshape(layer["outputs"], -1)
        bias = 0 if layer["bias"] is None else decoded(layer["bias"], "<f4")
        pixels = pixels @ weight.T + bias
        if place < len(layers) - 1:
            pixels = 1 / (1 + np.exp(-pixels))
    return pixels


@pytest.mark.parametrize("biases", [[False, False], [True, True], [True, False]])
def test_the_description_of_a_network_gives_its_logits(biases):
    network, images = random_perceptron([784, 7, 10], biases), images_of(5, 1, 28, 28)
    found = outputs_of(described_network(network), images.flatten(1).numpy())
    np.testing.assert_allclose(found, network(images).detach(), atol=1e-5)


def test_images_are_described_exactly():
    made = {
        "lbfgs": made_images([4, 2], [1, 7]),
        "minimal": made_images([4, 2], [1, 7]),
    }
    made["minimal"]["adversarial"] = images_of(2, 1, 28, 28, seed=9)
    found = described_images(made, targets=3)
    assert (found["labels"], found["targets"]) == ([2, 4], [7, 1])
    clean = decoded(found["clean"], "u1").astype("float32") / np.float32(255)
    np.testing.assert_array_equal(
        clean, made["lbfgs"]["clean"].flip(0).flatten().numpy()
    )
    for attack, images in made.items():
        pixels = decoded(found["adversarial"][attack], "<f4")
        np.testing.assert_array_equal(
            pixels, images["adversarial"].flip(0).flatten().numpy()
        )


def test_a_digit_has_different_targets_and_only_images_that_were_changed():
    labels = torch.tensor([3, 3, 3, 3, 5, 3])
    targets = torch.tensor([8, 1, 8, 2, 0, 4])
    reached = torch.tensor([True, False, True, True, True, True])
    assert chosen_images(labels, targets, reached, 2) == [3, 0, 4]
    made = {
        "lbfgs": made_images([4, 2], [1, 7]),
        "minimal": made_images([4, 2], [1, 7]),
    }
    made["minimal"]["adversarial"][0] = made["minimal"]["clean"][0]
    assert described_images(made, targets=3)["labels"] == [2]


def files_of(folder, **made):
    for attack, images in made.items():
        save_file(images, folder / attack)
    return {attack: str(folder / attack) for attack in made}


def test_the_page_needs_no_other_file(tmp_path):
    weights = store(tmp_path / "w", random_perceptron([784, 10], [True]))
    images = files_of(tmp_path, lbfgs=made_images([4, 2], [1, 7]))
    page = explorer_page(TEMPLATE, {"A": str(weights)}, {"A": images}, 2)
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", page)
    data = re.search(r'type="application/json"[^>]*>(.*?)</script>', page, re.S)
    assert data and list(json.loads(data[1])["networks"]) == ["A"]


def test_attacks_on_different_images_are_refused(tmp_path):
    weights = store(tmp_path / "w", random_perceptron([784, 10], [True]))
    other = made_images([4, 2], [1, 7]) | {"index": torch.tensor([1, 0])}
    images = files_of(tmp_path, lbfgs=made_images([4, 2], [1, 7]), minimal=other)
    with pytest.raises(InputError, match="A: the attacks are on different images"):
        explorer_page(TEMPLATE, {"A": str(weights)}, {"A": images}, 2)
