"""Adam: the bytes of torch's own, at less cost."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from intriguing.training.adam import AdamRecipe, Group, cosine_schedule, run_adam

RECIPE = AdamRecipe(learning_rate=0.01, epochs=3, batch=8, warmup=0.2)
COUNT = 40

IMPORTS = """
import sys, torch
from intriguing.training.adam import AdamRecipe, Group, run_adam
weights = torch.ones(3, requires_grad=True)
loss = lambda rows: weights.square().sum()
recipe, generator = AdamRecipe(0.1, 2, 2), torch.Generator()
run_adam(loss, [Group([weights], 0.0)], 4, recipe, generator, iter)
print(bool((weights < 1).all()), "torch._dynamo" in sys.modules)
"""


def two_layers(layout: torch.memory_format) -> nn.Sequential:
    torch.manual_seed(0)
    shape = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)
    return nn.Sequential(*shape).to(memory_format=layout)


def loss_of(network: nn.Sequential):
    drawn = torch.Generator().manual_seed(1)
    images = torch.rand(COUNT, 3, 6, 6, generator=drawn)
    labels = torch.randint(5, (COUNT,), generator=drawn)
    return lambda rows: functional.cross_entropy(network(images[rows]), labels[rows])


def by_torch(network: nn.Sequential, decays: list[float]) -> None:
    """Train as `run_adam` does, with the classes that torch has for it."""
    loss, generator = loss_of(network), torch.Generator().manual_seed(2)
    groups = [
        {"params": list(part.parameters()), "weight_decay": decay}
        for part, decay in zip((network[0], network[3]), decays, strict=True)
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
    groups = [
        Group(list(part.parameters()), decay)
        for part, decay in zip((ours[0], ours[3]), decays, strict=True)
    ]
    generator = torch.Generator().manual_seed(2)
    run_adam(loss_of(ours), groups, COUNT, RECIPE, generator, iter)
    by_torch(theirs, decays)
    for mine, wanted in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, wanted)
    assert not torch.equal(ours[3].weight, two_layers(layout)[3].weight)


def test_training_does_not_load_the_compiler():
    command = [sys.executable, "-c", IMPORTS]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "False"]


def test_the_learning_rate_rises_then_falls_to_nothing():
    share = cosine_schedule(100, warmup=0.2)
    rates = [share(step) for step in range(101)]
    assert np.argmax(rates) == 20
    assert all(np.diff(rates[:20]) > 0)
    assert all(np.diff(rates[20:]) < 0)
    assert rates[100] == pytest.approx(0, abs=1e-9)
