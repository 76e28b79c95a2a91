"""The network of which the exact optimum is computed (`pooled`)."""

from intriguing.models.alexnet import POOL, conv, linear
from intriguing.models.architecture import Architecture


def pooled_architecture(channels: int) -> Architecture:
    """Return a network for 7 x 7 pixels: convolution, ReLU, max-pooling, linear map."""
    last = [POOL, {"layer": "flatten"}, linear(4 * channels, 10)]
    return {"kind": "sequential", "layers": [*conv(1, channels, 3), *last]}
