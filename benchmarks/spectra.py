"""Enclosures of AlexNet's convolutions: their gap and how long they take.

    python benchmarks/spectra.py ~/mirror/weights/alexnet_bvlc_layers.npz

One thread; on a busy machine it is at work only part of the time. The file holds
``conv1.weight`` to ``conv5.weight``.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from intriguing.spectra import conv_norm

# Stride, padding, groups and input size of each layer.
LAYERS = {
    "conv1": (4, 0, 1, 227),
    "conv2": (1, 2, 2, 27),
    "conv3": (1, 1, 1, 13),
    "conv4": (1, 1, 2, 13),
    "conv5": (1, 1, 2, 13),
}


def main() -> None:
    """Print one line a layer."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path, help="file of the layers, .npz")
    stored = np.load(parser.parse_args().weights)
    torch.set_num_threads(1)
    for name, settings in LAYERS.items():
        weight = torch.from_numpy(stored[f"{name}.weight"])
        before, worked = time.perf_counter(), time.process_time()
        lower, upper = conv_norm(weight, *settings)
        worked = time.process_time() - worked
        seconds = (
            f"{time.perf_counter() - before:.1f} s, of them {worked:.1f} s at work"
        )
        gap = upper / lower - 1
        print(f"{name}  {lower:.5f} to {upper:.5f}  gap {gap:.3%}  {seconds}")


if __name__ == "__main__":
    main()
