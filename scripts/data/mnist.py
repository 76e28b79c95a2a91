"""Step: fetch MNIST, verify it, and write its images and labels as tensors."""

from collections.abc import Mapping
from pathlib import Path

import torch

from intriguing.data import parse_idx
from intriguing.errors import InputError
from intriguing.workflow import fetch
from intriguing.workflow.files import write_tensors
from intriguing.workflow.step import step_log

# No output of the rule: Snakemake deletes outputs before it makes them again, and
# with them files brought by hand. Checksums fix what is read.
RAW = Path("data/raw/mnist")


def run(
    raw: Path,
    checksums: Path,
    counts: Mapping[str, int],
    outputs: Mapping[str, Path],
) -> None:
    """Write the first images of each set: ``images`` (N,1,28,28) and ``labels``.

    Args:
        raw: Cache of the uncompressed IDX files, filled when they are missing.
        checksums: Table of what fixes each file.
        counts: How many images to keep of ``train`` and of ``test``.
        outputs: The file to write of ``train`` and of ``test``.
    """
    rows = fetch.read_checksums(checksums)
    fetch.fetch_mnist(raw, rows, fetch.mnist_sources())
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images = _read(raw, rows, f"{prefix}-images-idx3-ubyte")
        labels = _read(raw, rows, f"{prefix}-labels-idx1-ubyte")
        count = counts[part]
        if count > len(labels):
            raise InputError(f"data.{part}_images: {count} of {len(labels)}; lower it")
        tensors = {"images": images[:count, None], "labels": labels[:count].long()}
        write_tensors(outputs[part], tensors)


def _read(raw: Path, rows: fetch.Checksums, name: str) -> torch.Tensor:
    content = fetch.read_verified(raw / name, rows[name])
    return torch.from_numpy(parse_idx(content, name))


if __name__ == "__main__":
    settings = snakemake.params.settings
    counts = {part: settings[f"{part}_images"] for part in ("train", "test")}
    outputs = {part: Path(snakemake.output[part]) for part in counts}
    with step_log(snakemake):
        run(RAW, Path(snakemake.input.checksums), counts, outputs)
