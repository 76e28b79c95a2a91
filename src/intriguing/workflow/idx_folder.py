"""Where images of other data sets lie: a folder of files in MNIST's format.

Every call of Snakemake imports it, so that it must not import torch.
"""

from pathlib import Path

from intriguing.errors import InputError

PARTS = {"train": "train", "test": "t10k"}
"""Prefix of the files of each set of images."""
KINDS = {"images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte"}


def idx_paths(folder: str | Path) -> dict[str, dict[str, str]]:
    """Return the path of each file, by set of images and content.

    Raises:
        InputError: A file is there neither plain nor as ``.gz``.
    """
    return {
        part: {
            kind: _path(Path(folder), f"{prefix}-{end}") for kind, end in KINDS.items()
        }
        for part, prefix in PARTS.items()
    }


def _path(folder: Path, name: str) -> str:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return str(path)
    raise InputError(f"data.folder: {folder / name}[.gz] is missing; bring it there")
