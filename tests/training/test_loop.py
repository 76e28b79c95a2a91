"""The training loop: the same weights as with torch's Adam, at less cost."""

import numpy as np
import pytest
import torch
from networks import images_of, seeded
from scratch import fresh_python
from torch import nn
from torch.nn import functional

from intriguing.training.loop import AdamRecipe, cosine_schedule, train

RECIPE = AdamRecipe(learning_rate=0.01, epochs=3, batch=8, warmup=0.2)
COUNT = 40

IMPORTS = """
import sys, torch
from intriguing.training.loop import AdamRecipe, train
network = torch.nn.Linear(3, 1)
before = network.weight.abs().sum()
loss = lambda indices: network.weight.square().sum()
groups, recipe = {0.0: [network.weight]}, AdamRecipe(0.01, 2, 2)
train(network, loss, groups, 4, recipe, torch.Generator(), iter)
print(bool(network.weight.abs().sum() < before), "torch._dynamo" in sys.modules)
"""


def two_layers(layout: torch.memory_format) -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)
    return nn.Sequential(*layers).to(memory_format=layout)


def loss_of(network: nn.Sequential):
    images = images_of(COUNT, 3, 6, 6, seed=1)
    labels = torch.randint(5, (COUNT,), generator=seeded(2))
    return lambda rows: functional.cross_entropy(network(images[rows]), labels[rows])


def train_by_torch(network: nn.Sequential, decays: list[float]) -> None:
    """Train as `train` does, with the classes that torch has for it."""
    loss, generator = loss_of(network), seeded(2)
    groups = [
        {"params": list(layer.parameters()), "weight_decay": decay}
        for layer, decay in zip((network[0], network[3]), decays, strict=True)
    ]
    optimiser = torch.optim.Adam(groups, lr=RECIPE.learning_rate, fused=True)
    share = cosine_schedule(COUNT // RECIPE.batch * RECIPE.epochs, RECIPE.warmup)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, share)
    for _ in range(RECIPE.epochs):
        for rows in torch.randperm(COUNT, generator=generator).split(RECIPE.batch):
            optimiser.zero_grad()
            loss(rows).backward()
            optimiser.step()
            schedule.step()


@pytest.mark.parametrize("decays", [[0.1, 0.0], [0.01, 0.01]])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_weights_are_those_of_torch(layout, decays):
    ours, theirs = two_layers(layout), two_layers(layout)
    groups: dict[float, list] = {}
    for layer, decay in zip((ours[0], ours[3]), decays, strict=True):
        groups.setdefault(decay, []).extend(layer.parameters())
    train(ours, loss_of(ours), groups, COUNT, RECIPE, seeded(2), iter)
    train_by_torch(theirs, decays)
    for mine, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, expected)
    assert not torch.equal(ours[3].weight, two_layers(layout)[3].weight)
    assert not ours.training
    assert not any(weights.requires_grad for weights in ours.parameters())


def test_training_does_not_import_the_compiler():
    assert fresh_python("-c", IMPORTS).split() == ["True", "False"]


def test_the_learning_rate_rises_then_falls_to_zero():
    share = cosine_schedule(100, warmup=0.2)
    rates = [share(step) for step in range(101)]
    assert np.argmax(rates) == 20
    assert all(np.diff(rates[:20]) > 0)
    assert all(np.diff(rates[20:]) < 0)
    assert rates[100] == pytest.approx(0, abs=1e-9)
