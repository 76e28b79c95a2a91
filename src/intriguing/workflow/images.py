"""Natural images and pretrained weights: from a folder, a mirror, or a download."""

import csv
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image, UnidentifiedImageError
from safetensors.torch import load_file
from torch import Tensor

from intriguing.errors import InputError
from intriguing.workflow.fetch import one_line, quiet_download

RAW = Path("data/raw")
CIFAR = "cifar-10-batches-py"
PHOTOGRAPHS = "imagenet-samples"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")

Images = dict[str, UInt8[Tensor, "n 3 h w"] | Int64[Tensor, " n"]]
"""``images``, 0 to 255, and their ``labels``."""


def find(name: str) -> Path | None:
    """Return a file or folder of `data/raw`, or else of the mirror; None if in none."""
    return next(iter(_places(name)), None)


def _places(name: str) -> list[Path]:
    mirror = os.environ.get("INTRIGUING_MIRROR")
    places = [RAW / name, *([Path(mirror) / name] if mirror else [])]
    return [place for place in places if place.exists()]


def by_hand(name: str, what: str) -> str:
    """Return the remedy for a file that could neither be found nor fetched."""
    return f"put {what} at {RAW / name}, or set INTRIGUING_MIRROR to a folder with it"


def cifar_folder() -> Path:
    """Return the folder of CIFAR-10, which torchvision fetches if it is missing.

    Of a folder in `data/raw` missing files are added and cut ones completed; others
    stay as they are.

    Raises:
        InputError: It cannot be fetched, or has other checksums.
    """
    from torchvision.datasets import CIFAR10  # seconds to import

    reasons = []
    for folder in _places(CIFAR):
        try:
            CIFAR10(str(folder.parent))  # verifies checksums
        except RuntimeError:
            reasons.append(f"{folder} is incomplete or corrupted")
        else:
            return folder
    try:
        with TemporaryDirectory(dir=_made(RAW), prefix=".fetch-") as scratch:
            _fetch_cifar10(Path(scratch))
    except (OSError, RuntimeError) as error:
        reasons.append(one_line(error))
        remedy = by_hand(CIFAR, f"the folder {CIFAR} ({CIFAR10.url}, unpacked)")
        raise InputError(f"CIFAR-10: {'; '.join(reasons)}\n{remedy}") from error
    return RAW / CIFAR


def _fetch_cifar10(scratch: Path) -> None:
    """Unpack CIFAR-10 in a scratch folder, and move what is not in `data/raw` there."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity

    archive = (RAW / CIFAR10.filename).absolute()
    if check_integrity(archive, CIFAR10.tgz_md5):
        (scratch / CIFAR10.filename).symlink_to(archive)
    with quiet_download():
        CIFAR10(str(scratch), download=True)
    for path in sorted((scratch / CIFAR).iterdir()):
        place = _made(RAW / CIFAR) / path.name
        if place.exists() and not path.read_bytes().startswith(place.read_bytes()):
            raise OSError(f"{place} is another file; move it away")
        path.replace(place)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_cifar10(folder: Path, train: bool) -> Images:
    """Return CIFAR-10's training images, or its test images, 32 by 32 pixels."""
    from torchvision.datasets import CIFAR10

    stored = CIFAR10(str(folder.parent), train=train)
    images = torch.from_numpy(stored.data).permute(0, 3, 1, 2).contiguous()
    return {"images": images, "labels": torch.tensor(stored.targets)}


def read_photographs(size: int) -> Images:
    """Return labelled ImageNet photographs, their central ``size`` by ``size`` pixels.

    Raises:
        InputError: There are none, or a picture named in the list is missing or broken.
    """
    folder = find(PHOTOGRAPHS)
    if folder is None or not (folder / "labels.csv").is_file():
        what = "a folder with labels.csv (file, class_index) and the pictures it names"
        raise InputError(f"no photographs: {by_hand(PHOTOGRAPHS, what)}")
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    try:
        names = [(folder / row["file"], int(row["class_index"])) for row in rows]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{folder / 'labels.csv'}: needs the columns file and class_index ({error})"
        ) from error
    images = torch.stack([read_picture(path, size) for path, _ in names])
    return {"images": images, "labels": torch.tensor([label for _, label in names])}


def read_image_folder(folder: Path, size: int) -> Images:
    """Return all pictures of a folder of classes.

    Args:
        folder: Holds one folder a class; classes are numbered in order of their names.
        size: Side of the square that each picture is scaled and cropped to.

    Raises:
        InputError: There are no classes, or one is empty.
    """
    classes = sorted(path for path in folder.glob("*") if path.is_dir())
    found = [_pictures_in(path) for path in classes]
    if not classes or not all(found):
        empty = next((c for c, f in zip(classes, found, strict=True) if not f), folder)
        raise InputError(f"{empty}: no pictures; give a folder of pictures a class")
    labels = [label for label, paths in enumerate(found) for _ in paths]
    images = [read_picture(path, size) for paths in found for path in paths]
    return {"images": torch.stack(images), "labels": torch.tensor(labels)}


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def read_picture(path: Path, size: int) -> UInt8[Tensor, "3 size size"]:
    """Return the central square of a picture, 0 to 255.

    A picture is first scaled so that its shorter side is ``size * 256 / 224`` if that
    is smaller, and at least ``size``.

    Raises:
        InputError: It is missing or not a picture.
    """
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path}: cannot be read as a picture ({error})") from error
    shorter = min(picture.size)
    target = max(min(shorter, round(size * 256 / 224)), size)
    if target != shorter:
        width, height = (max(round(n * target / shorter), target) for n in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    left, top = ((n - size) // 2 for n in picture.size)
    square = picture.crop((left, top, left + size, top + size))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()


def pretrained_weights(name: str) -> dict[str, Tensor]:
    """Return the weights of one of torchvision's networks.

    They come from `data/raw/weights/NAME.safetensors` or `.pth`, the same in the
    mirror, or torchvision's server.

    Raises:
        InputError: The name is unknown, or the weights are out of reach; the message
            names the file to fetch by hand and where to put it.
    """
    for suffix in (".safetensors", ".pth"):
        path = find(f"weights/{name}{suffix}")
        if path is not None:
            return _read_weights(path)
    return _download_weights(name)


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".npz":
            with np.load(path) as stored:
                return {key: torch.from_numpy(stored[key]) for key in stored.files}
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each of the libraries has its own kinds
        raise InputError(
            f"{path}: weights cannot be read ({one_line(error)})"
        ) from error


def _download_weights(name: str) -> dict[str, Tensor]:
    from torchvision.models import get_model_weights, list_models

    if name not in list_models():
        raise InputError(
            f"natural.networks: torchvision has no {name!r}; known: "
            "https://docs.pytorch.org/vision/stable/models.html"
        )
    url = get_model_weights(name).DEFAULT.url
    try:
        with quiet_download():
            return torch.hub.load_state_dict_from_url(
                url, str(RAW / "weights"), map_location="cpu", progress=False
            )
    except (OSError, RuntimeError) as error:
        remedy = by_hand(f"weights/{name}.pth", url)
        raise InputError(
            f"weights of {name} are out of reach ({one_line(error)})\n{remedy}"
        ) from error


def read_layers(name: str) -> dict[str, Tensor]:
    """Return the layers in a file of weights, ``conv1.weight`` and so on.

    Args:
        name: Name of a ``.npz`` or ``.safetensors`` file in `data/raw/weights` or in
            ``weights`` of the mirror.

    Raises:
        InputError: The file is missing or cannot be read.
    """
    path = find(f"weights/{name}")
    if path is None:
        raise InputError(f"{name}: {by_hand(f'weights/{name}', 'the file')}")
    return _read_weights(path)
