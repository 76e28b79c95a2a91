"""Networks that show what makes a basis special."""

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from intriguing.units.bases import random_rotation

ROTATED, ISOTROPIC = "rotated-ReLU100-100-10", "isotropic-tanh100-100-10"
PIXELS, HIDDEN, CLASSES = 784, 100, 10


class RotatedReLU(nn.Module):
    """The ReLU of a rotated basis: ``Q^T relu(Q z)``.

    Without training, and with an optimiser that treats all bases alike, the network is
    an ordinary one in other coordinates.
    """

    rotation: Tensor

    def __init__(self, rotation: Float[Tensor, "units units"]) -> None:
        super().__init__()
        self.register_buffer("rotation", rotation)

    def forward(self, inputs: Float[Tensor, "n units"]) -> Float[Tensor, "n units"]:
        """Return the activations in the coordinates of the inputs."""
        return (inputs @ self.rotation.T).relu() @ self.rotation


class IsotropicTanh(nn.Module):
    """``tanh(|z|) z / |z|``, a nonlinearity without a preferred basis (Bird 2026)."""

    def forward(self, inputs: Float[Tensor, "n units"]) -> Float[Tensor, "n units"]:
        """Return vectors in the same direction, of length below 1."""
        norm = inputs.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return inputs * (norm.tanh() / norm)


def control_network(name: str, seed: int) -> nn.Sequential:
    """Return an untrained network of two hidden layers, `ROTATED` or `ISOTROPIC`."""
    rotated = partial(RotatedReLU, random_rotation(HIDDEN, seed))
    activation = {ROTATED: rotated, ISOTROPIC: IsotropicTanh}[name]
    first, second = nn.Linear(PIXELS, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
    middle = [first, activation(), second, activation()]
    return nn.Sequential(nn.Flatten(), *middle, nn.Linear(HIDDEN, CLASSES))


def rotated_bases(network: nn.Sequential) -> dict[str, Tensor]:
    """Return the basis in which each rotated nonlinearity acts, by its place."""
    return {
        name: module.rotation
        for name, module in network.named_modules()
        if isinstance(module, RotatedReLU)
    }
