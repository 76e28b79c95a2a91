"""Many perceptrons of one shape, computed together."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

EPSILON = 1e-5
"""Added to the variance of batch normalisation, as torch does."""


class Squares(nn.Module):
    """Squares of rectified units."""

    def forward(self, inputs: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Return the activations."""
        return inputs.relu().square()


ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
    "squares": Squares,
}


class Stack(NamedTuple):
    """Parameters of N networks of one shape.

    Attributes:
        weights: (N, inputs, outputs) of each layer.
        biases: (N, 1, outputs) of each layer.
        activation: Between the layers.
        gains: (N, 1, outputs) of each hidden layer whose pre-activations are
            normalised over the batch; empty without batch normalisation.
    """

    weights: list[Tensor]
    biases: list[Tensor]
    activation: str
    gains: list[Tensor]

    def logits(self, pixels: Float[Tensor, "n b d"]) -> Float[Tensor, "n b c"]:
        """Return the logits of each network for images of its own."""
        if self.gains:
            return self.folded(pixels).logits(pixels)
        activation = ACTIVATIONS[self.activation]()
        values = pixels
        for layer, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            values = torch.baddbmm(
                bias, activation(values) if layer else values, weight
            )
        return values

    def folded(self, pixels: Float[Tensor, "n b d"]) -> "Stack":
        """Return networks without batch normalisation that are equal on a batch.

        Args:
            pixels: Images of each network, whose statistics normalise.
        """
        activation = ACTIVATIONS[self.activation]()
        values, weights, biases = pixels, [], []
        hidden = zip(self.weights, self.biases, self.gains, strict=False)
        for weight, bias, gain in hidden:
            before = values @ weight
            variance, mean = torch.var_mean(before, 1, correction=0, keepdim=True)
            factor = gain / (variance + EPSILON).sqrt()
            weights.append(weight * factor)
            biases.append(bias - mean * factor)
            values = activation(before * factor + biases[-1])
        last = [self.weights[-1]], [self.biases[-1]]
        return Stack(weights + last[0], biases + last[1], self.activation, [])

    def one(self, index: int) -> "Stack":
        """Return one network as a stack, whose parameters are views of those here."""
        weights, biases, gains = (
            [value.detach()[index : index + 1].requires_grad_(True) for value in values]
            for values in (self.weights, self.biases, self.gains)
        )
        return Stack(weights, biases, self.activation, gains)

    def network(self, index: int) -> nn.Sequential:
        """Return one network, which takes images (N, 1, H, W)."""
        layers: list[nn.Module] = [nn.Flatten()]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            linear = nn.Linear(weight.shape[1], weight.shape[2])
            linear.weight.data = weight[index].detach().T.contiguous()
            linear.bias.data = bias[index, 0].detach().clone()
            layers += [linear, ACTIVATIONS[self.activation]()]
        kept = [one for one in layers[:-1] if not isinstance(one, nn.Identity)]
        return nn.Sequential(*kept).eval()
