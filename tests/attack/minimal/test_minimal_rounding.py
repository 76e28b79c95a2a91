"""What is done about rounding at the end, and that the batch does not matter."""

import copy

import pytest
import torch
from torch import nn

from intriguing.attack import minimal
from intriguing.attack.minimal.rounding import (
    LEAST_MARGIN,
    enforce_margin,
    precise_logits,
)
from intriguing.attack.objective import target_margin, target_mask_of
from intriguing.models.perceptron import linear_layers, perceptron


def test_images_that_a_plain_pass_refuses_are_stretched_a_little():
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2))
    model[1].weight.data = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    model[1].bias.data = torch.tensor([0.5, 0.0])  # class 1 from 0.5 on
    clean = torch.tensor([[0.1, 0.3]]).repeat(5, 1)
    reached = torch.tensor([0.6, 0.5 - 3e-6, 0.5 - 1e-4, 0.3, 0.1])
    image = torch.stack([reached, clean[:, 1]], 1)
    target_mask = torch.tensor([[False, True]]).repeat(5, 1)
    enforced = enforce_margin(model, clean, target_mask, image)
    assert torch.equal(enforced[0], image[0]) and torch.equal(enforced[4], clean[4])
    assert model(enforced).argmax(1).tolist() == [1, 1, 1, 0, 0]
    longer = (enforced - clean).norm(dim=1) / (image - clean).norm(dim=1) - 1
    assert 0 < longer[1] < 4e-5 and 0 < longer[2] < 1.1e-3
    inside = enforce_margin(
        model, clean, target_mask, image.masked_fill(image == 0.3, 1.0)
    )
    assert (inside <= 1).all()


def test_refused_images_are_judged_in_the_batch_that_they_came_in():
    """Rows of another batch may be rounded otherwise."""
    sizes = []

    class Recorder(nn.Module):
        def forward(self, images):
            sizes.append(len(images))
            pixels = images.flatten(1)
            return torch.stack([torch.full_like(pixels[:, 0], 0.5), pixels[:, 0]], 1)

    clean = torch.tensor([[0.1, 0.3]]).repeat(5, 1)
    image = clean.clone()
    image[:, 0] = torch.tensor([0.6, 0.5 - 3e-6, 0.5 - 1e-4, 0.6, 0.1])
    enforce_margin(Recorder(), clean, torch.tensor([[False, True]]).repeat(5, 1), image)
    assert len(sizes) > 2
    assert set(sizes) == {5}


def test_what_very_short_perturbations_have_to_spare_is_taken_from_them():
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 3))
    model[1].weight.data = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    model[1].bias.data = torch.tensor([0.5, 0.0, -1.5])  # class 1 from 0.5 on
    clean = torch.tensor([[0.499, 0.3], [0.499, 0.3], [0.4, 0.3]])
    image = clean + torch.tensor([[2e-3, 0.0], [1e-4, 0.0], [0.2, 0.0]])
    target_mask = torch.tensor([[False, True, False]]).repeat(3, 1)
    enforced = enforce_margin(model, clean, target_mask, image)
    logits = model(enforced).detach()
    # What does not reach the goal, and what is not short, stays as it is.
    assert logits.argmax(1).tolist() == [1, 0, 1]
    assert torch.equal(enforced[2], image[2])
    # The span of the logits is 2.
    assert target_margin(logits, target_mask)[0] == pytest.approx(
        2 * LEAST_MARGIN, abs=2e-7
    )


class Converting(nn.Module):
    """A classifier that says itself in which precision it computes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.shift = torch.tensor(0.1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images.float() - self.shift)


def paper_sized(seed: int) -> nn.Sequential:
    network = perceptron([784, 100, 10], [True, True])
    generator = torch.Generator().manual_seed(seed)
    for layer in linear_layers(network):
        shape = layer.weight.shape
        layer.weight.data = (
            torch.randn(shape, generator=generator) * 3 / shape[1] ** 0.5
        )
    return network.eval().requires_grad_(False)


def test_a_thousandth_from_the_boundary_the_batch_changes_no_length():
    """Margins in float32 would change some by nearly a thousandth of themselves."""
    model = paper_sized(1)
    images = torch.rand(64, 784, generator=torch.Generator().manual_seed(2))
    target_mask = target_mask_of(10, None, model(images).argmax(1))
    far = minimal.search(model, images, target_mask).image
    away = (far - images).norm(dim=1, keepdim=True)
    near = far.lerp(images, 1e-3 / away)
    short = ~target_mask.gather(1, model(near).argmax(1, keepdim=True))[:, 0]
    assert short.sum() > 50
    images, target_mask = near[short], target_mask[short]

    def lengths(rows):
        found = minimal.search(model, images[rows], target_mask[rows])
        assert found.success.all()
        return (found.image - images[rows]).norm(dim=1)

    together = lengths(torch.arange(len(images)))
    assert together.max() < 2e-3
    alone = torch.cat([lengths(torch.tensor([row])) for row in range(len(images))])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=0)


def test_logits_are_in_float64_where_the_model_lets_them():
    model, pixels = paper_sized(1), torch.rand(5, 784)
    logits = precise_logits(model, pixels)
    assert logits.dtype == torch.float64
    double = copy.deepcopy(model).double()
    torch.testing.assert_close(logits, double(pixels.double()))
    assert all(weights.dtype == torch.float32 for weights in model.parameters())
    converting = Converting(model)
    assert torch.equal(precise_logits(converting, pixels), converting(pixels))


def test_an_error_on_many_images_is_not_taken_for_a_refusal():
    """As where memory runs out: the answer would hide it, and be less precise."""

    class Small(nn.Module):
        def forward(self, images):
            if images.dtype == torch.float64 and len(images) > 1:
                raise RuntimeError("out of memory")
            return images.flatten(1)[:, :2]

    with pytest.raises(RuntimeError, match="out of memory"):
        precise_logits(Small(), torch.rand(3, 4))
