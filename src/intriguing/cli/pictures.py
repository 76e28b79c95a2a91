"""Pictures as a network takes them, and the figure that shows an attack."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms import functional

from intriguing.cli.classifiers import Classifier
from intriguing.errors import InputError
from intriguing.figures.style import add_image, blank, styled
from intriguing.natural.images import triples


def read_picture(path: Path, classifier: Classifier) -> Float[Tensor, "1 c h w"]:
    """Return a picture scaled and cropped as the network takes it, in [0, 1].

    Raises:
        InputError: It is missing, broken, no picture, larger than Pillow opens, or one
            that looks otherwise in 8 bits.
    """
    channels, *size = classifier.shape
    try:
        with Image.open(path) as opened:
            require_plain(path, opened)
            upright = ImageOps.exif_transpose(opened)
            picture = upright.convert("L" if channels == 1 else "RGB")
    except InputError:
        raise
    except Exception as error:  # of many kinds, some of them of one format only
        raise InputError(f"{path}: cannot be read as a picture ({error})") from error
    scaled = functional.resize(picture, [classifier.resize])
    pixels = functional.pil_to_tensor(functional.center_crop(scaled, size))
    return pixels[None].to(torch.float32) / 255


def require_plain(path: Path, picture: Image.Image) -> None:
    """Refuse pictures of which conversion to 8 bits a channel makes another one."""
    if picture.mode.startswith(("I", "F")):
        raise InputError(
            f"{path}: it has more than 8 bits a pixel (mode {picture.mode}), which "
            "would be clipped; store it with 8"
        )
    if "A" in picture.getbands() or "transparency" in picture.info:
        alpha = picture.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise InputError(
                f"{path}: it is transparent in places; store it on a background"
            )


@styled()
def save_triple(
    path: Path,
    clean: Float[Tensor, "1 c h w"],
    adversarial: Float[Tensor, "1 c h w"],
    captions: Sequence[str],
) -> None:
    """Write original, magnified difference and adversarial image side by side."""
    figure: Figure = blank(7.2, 2.85)
    panels = figure.subplots(1, 3)
    (images,) = triples(clean, adversarial)
    for axes, image, caption in zip(panels, images, captions, strict=True):
        add_image(axes, image, 0, 0)
        axes.set_title(caption, loc="center")
        axes.set_aspect("equal")
        axes.axis("off")
    figure.savefig(path)
