"""Images of other data sets, read from files in MNIST's format."""

import gzip
from pathlib import Path

import numpy as np

from intriguing.data import parse_idx
from intriguing.errors import InputError


def read_idx_pair(
    images: str, labels: str, count: int, part: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first images (N, H, W) and labels (N,), as uint8.

    Args:
        images: File of the images.
        labels: File of their labels.
        count: Number of images wanted.
        part: Set of images, for messages.

    Raises:
        InputError: A file is damaged, the two do not fit together, or hold fewer.
    """
    pixels, classes = (_read(Path(path)) for path in (images, labels))
    if pixels.ndim != 3 or classes.shape != pixels.shape[:1]:
        raise InputError(
            f"{images} and {labels} hold {pixels.shape} and {classes.shape} values: "
            "give N images and their N labels"
        )
    if count > len(classes):
        raise InputError(f"data.{part}_images: {count} of {len(classes)}; lower it")
    return pixels[:count], classes[:count]


def _read(path: Path) -> np.ndarray:
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise InputError(f"{path} cannot be unpacked ({error})") from error
    return parse_idx(content, str(path))
