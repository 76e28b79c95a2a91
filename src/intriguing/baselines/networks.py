"""Networks that only the comparison has; the paper's perceptrons have sigmoid units.

Their nonsmooth points are the hardest case for attacks that use curvature, as ours do.
"""

from collections.abc import Sequence
from itertools import pairwise

from intriguing.models.alexnet import POOL, RELU, conv, linear
from intriguing.models.architecture import Architecture


def relu_architecture(sizes: Sequence[int]) -> Architecture:
    """Return linear layers with biases and ReLU between them."""
    pairs = [[linear(*widths), RELU] for widths in pairwise(sizes)]
    layers = [{"layer": "flatten"}, *(layer for pair in pairs for layer in pair)]
    return {"kind": "sequential", "layers": layers[:-1]}


def pooled_architecture(channels: int) -> Architecture:
    """Return a network for 7 x 7 pixels: convolution, ReLU, max-pooling, linear map."""
    last = [POOL, {"layer": "flatten"}, linear(4 * channels, 10)]
    return {"kind": "sequential", "layers": [*conv(1, channels, 3), *last]}
