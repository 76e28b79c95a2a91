"""Compare the batched attack with SciPy's: same objective, same images, one process.

    python benchmarks/attack.py results/paper/adversarial/lbfgs/AE400-10/0.safetensors

Takes networks, images and targets from a finished run. The two methods take turns on
one thread, so that a machine whose speed drifts slows both alike; only ratios are worth
quoting. SciPy bisects the weight in 15 steps, each started at the last success.
"""

import argparse
import os
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # SciPy's own, before it is loaded

import torch
from safetensors.torch import load_file

from intriguing.attack import find_adversarial
from intriguing.models.files import load_model


def main() -> None:
    """Print distortion and speed of both, and the ratios, for each network."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", nargs="+", type=Path, help="files of attacked images")
    parser.add_argument("--count", type=int, default=256, help="images (default 256)")
    parser.add_argument("--rounds", type=int, default=4, help="turns (default 4)")
    settings = parser.parse_args()
    torch.set_num_threads(1)
    for path in settings.images:
        compare(path, settings.count, settings.rounds)


def compare(path: Path, count: int, rounds: int) -> None:
    """Attack the first images of a file by both methods, and print the ratios."""
    stored = {name: rows[:count] for name, rows in load_file(path).items()}
    model = load_model(weights_of(path))
    clean, target = stored["clean"], stored["target"]
    find_adversarial(model, clean[:2], target[:2], method="lbfgs")  # compiles
    seconds, distortions = {"lbfgs": [], "scipy": []}, {"lbfgs": [], "scipy": []}
    for part in torch.arange(len(clean)).chunk(rounds):
        # The batch is whole in every turn: that is what batching is for.
        for method, rows in (("lbfgs", torch.arange(len(clean))), ("scipy", part)):
            before = time.process_time()
            found = find_adversarial(model, clean[rows], target[rows], method=method)
            seconds[method].append((time.process_time() - before) / len(rows))
            failed = found.distortion.masked_fill(~found.reached, torch.inf)
            distortions[method].append(failed)
    report(path, seconds, distortions["lbfgs"][0], torch.cat(distortions["scipy"]))


def weights_of(images: Path) -> Path:
    """Return the network's file, in ``models`` beside ``adversarial``."""
    results = images.parents[3]
    return results / "models" / images.parent.name / images.name


def report(path: Path, seconds: dict, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Print one block of figures."""
    per_second = {m: 1 / torch.tensor(s).median().item() for m, s in seconds.items()}
    ratio = (ours / theirs).double()
    print(f"{path.parent.name}, seed {path.stem}, {len(ours)} images, one thread")
    for method, distortion in (("lbfgs", ours), ("scipy", theirs)):
        reached = distortion.isfinite().float().mean()
        print(
            f"  {method}: reached {reached:.2%}, distortion {distortion.mean():.5f}, "
            f"{per_second[method]:.1f} images per CPU second"
        )
    print(
        f"  distortion, lbfgs / scipy: mean {ratio.mean():.5f}, "
        f"99th percentile {ratio.quantile(0.99):.5f}, largest {ratio.max():.5f}"
    )
    print(f"  speed, lbfgs / scipy: {per_second['lbfgs'] / per_second['scipy']:.1f}\n")


if __name__ == "__main__":
    main()
