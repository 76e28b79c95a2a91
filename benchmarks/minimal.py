r"""Time the minimal attack: all images of a file, a random wrong class each.

    python benchmarks/minimal.py results/paper/models/FC100-100-10/0.safetensors \
        results/paper/data/mnist/train.safetensors

One start an image. Each process works on its share, on one thread, or on a GPU: then
one process is enough. What counts is the time on the wall, loading included; what numba
compiles once for all is done before.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from safetensors.torch import load_file

from intriguing.attack import minimal
from intriguing.attack.targets import random_targets
from intriguing.data import to_pixels
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model

SEED = 0


def main() -> None:
    """Print speed, success and cost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path, help="network")
    parser.add_argument("images", type=Path, help="images and labels")
    parser.add_argument("--count", type=int, help="images (default: all)")
    parser.add_argument("--processes", type=int, default=2, help="default 2")
    parser.add_argument("--device", default="cpu", help="default cpu; a GPU is cuda")
    settings = parser.parse_args()
    count = len(load_file(settings.images)["labels"][: settings.count])
    ends = [count * i // settings.processes for i in range(settings.processes + 1)]
    shares = list(map(slice, ends, ends[1:]))
    attack_share = partial(attack, settings.weights, settings.images, settings.device)
    attack_share(slice(0, 2))  # compiles
    with ProcessPoolExecutor(settings.processes, get_context("spawn")) as pool:
        list(pool.map(attack_share, [slice(0, 2)] * settings.processes))  # imports
        before = time.perf_counter()
        parts = list(pool.map(attack_share, shares))
        seconds = time.perf_counter() - before
    report(torch.cat(parts), seconds, settings.processes)


def attack(weights: Path, images: Path, device: str, rows: slice) -> torch.Tensor:
    """Attack some images of a file.

    Returns:
        For each whether a plain forward pass on its image gives the target, its
        distortion, and its forward passes and gradients.
    """
    torch.set_num_threads(1)
    model, stored = load_model(weights).to(device), load_file(images)
    labels, clean = stored["labels"][rows].long(), to_pixels(stored["images"][rows])
    clean = clean.to(device)
    answers = predict(model, clean).cpu()
    seed = SEED + rows.start  # each share draws its own
    targets = random_targets(labels, answers.argmax(1), answers.shape[1], seed)
    targets = targets.to(device)
    wanted = torch.nn.functional.one_hot(targets, answers.shape[1]).bool()
    found = minimal.search(model, clean, wanted)
    reached = predict(model, found.image.view_as(clean)).argmax(1) == targets
    distortion = (found.image - clean.flatten(1)).square().mean(1).sqrt()
    columns = (reached, distortion, found.evaluations, found.gradients)
    return torch.stack([column.double().cpu() for column in columns], 1)


def report(found: torch.Tensor, seconds: float, processes: int) -> None:
    """Print the figures."""
    success, distortion, forwards, gradients = found.mean(0).tolist()
    print(f"{len(found)} images in {seconds:.1f} s on {processes} processes")
    print(f"  {len(found) / seconds:.0f} images/s, {success:.4%} reach their target")
    print(f"  mean distortion {distortion:.5f}")
    print(f"  {forwards:.1f} forward passes and {gradients:.1f} gradients an image")


if __name__ == "__main__":
    main()
