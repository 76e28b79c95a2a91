"""Networks and their files."""

import json

import pytest
import torch
from networks import images_of, store
from safetensors.torch import save_file

from intriguing.errors import InputError
from intriguing.models import evaluation
from intriguing.models.architecture import build
from intriguing.models.evaluation import count_errors, predict
from intriguing.models.files import load_model, serialise_model
from intriguing.models.perceptron import perceptron, perceptron_architecture


def stored(tmp_path, network):
    return store(tmp_path / "network.safetensors", network)


def test_a_network_comes_back_as_it_was(tmp_path):
    network = perceptron([12, 7, 3], [True, False])
    pixels = images_of(5, 1, 3, 4)
    back = load_model(stored(tmp_path, network))
    assert torch.equal(back(pixels), network(pixels))
    assert not back.training
    assert not any(weights.requires_grad for weights in back.parameters())


def test_logits_are_what_the_formula_says():
    network = perceptron([4, 2, 3], [True, False])
    pixels = images_of(6, 1, 2, 2)
    first, last = network[1], network[3]
    hidden = 1 / (1 + torch.exp(-(pixels.flatten(1) @ first.weight.T + first.bias)))
    torch.testing.assert_close(network(pixels), hidden @ last.weight.T)
    assert last.bias is None


def test_the_same_network_gives_the_same_bytes(tmp_path):
    network = perceptron([5, 4, 3], [True, True])
    shape = perceptron_architecture(network)
    facts = {name: name for name in "abcdefgh"}
    first = serialise_model(network, shape, facts)
    again = serialise_model(network, shape, dict(reversed(facts.items())))
    assert first == again


@pytest.mark.fault("Files that are no networks, or broken ones", "everything")
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, seen):
    network = perceptron([4, 3], [False])
    network[1].weight.data[0, 0] = torch.nan
    path = stored(tmp_path, network)
    with pytest.raises(
        InputError, match=r"network\.safetensors: 1\.weight holds NaN"
    ) as told:
        load_model(path)
    seen(str(told.value), "NaN")


@pytest.mark.fault("Files that are no networks, or broken ones", "everything")
def test_files_that_are_no_networks_are_refused_by_name(tmp_path, seen):
    whole = stored(tmp_path, perceptron([4, 3], [False]))
    cut = whole.rename(tmp_path / "cut.safetensors")
    cut.write_bytes(cut.read_bytes()[:-4])
    plain, other = tmp_path / "plain.safetensors", tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(2)}, plain)
    shape = json.dumps({"kind": "perceptron", "sizes": [9, 3], "biases": [False]})
    save_file({"1.weight": torch.zeros(3, 4)}, other, metadata={"architecture": shape})
    for path, told in {
        tmp_path / "gone.safetensors": "no such file",
        cut: "not a network",
        plain: "not a network",
        other: "weights do not fit",
    }.items():
        with pytest.raises(InputError, match=f"{path.name}: {told}") as raised:
            load_model(path)
        seen(str(raised.value), path.stem)
    for nonsense in ("{torn", "3", "[1]", '{"kind": "perceptron", "sizes": 3}'):
        broken = tmp_path / "broken.safetensors"
        save_file({"x": torch.zeros(2)}, broken, metadata={"architecture": nonsense})
        with pytest.raises(InputError, match=r"broken.safetensors: not a network"):
            load_model(broken)
    for tree in (
        {"kind": "tree"},
        {"kind": "sequential", "layers": [{"layer": "tree"}]},
    ):
        with pytest.raises(InputError, match=r"unknown kind of \w+ 'tree'"):
            build(tree)


def test_errors_are_counted_over_batches(monkeypatch):
    network = perceptron([4, 3], [False])
    pixels = images_of(10, 1, 2, 2)
    monkeypatch.setattr(evaluation, "BATCH_VALUES", 3 * 4)
    labels = predict(network, pixels).argmax(1)
    torch.testing.assert_close(predict(network, pixels), network(pixels))
    labels[:4] = (labels[:4] + 1) % 3
    assert count_errors(network, pixels, labels) == {"wrong": 4, "images": 10}
