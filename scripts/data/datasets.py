"""Step: natural images as tensors: CIFAR-10, or a folder of pictures a class."""

from torch import Tensor

from intriguing.errors import InputError
from intriguing.workflow import images
from intriguing.workflow.files import write_tensors
from intriguing.workflow.step import step_log


def run(name: str, size: int) -> dict[str, dict[str, Tensor]]:
    """Return ``images`` and ``labels`` of ``train`` and of ``test``.

    Args:
        name: ``cifar10``, or a folder in `data/raw` or the mirror that holds ``train``
            and ``test``, each with a folder of pictures a class.
        size: Side of the squares that pictures of a folder are cut to.
    """
    if name == "cifar10":
        folder = images.cifar_folder()
        return {
            kind: images.read_cifar10(folder, kind == "train")
            for kind in ("train", "test")
        }
    folder = images.find(name)
    if folder is None:
        what = "a folder with train and test, each with a folder of pictures a class"
        raise InputError(f"images {name!r}: {images.by_hand(name, what)}")
    return {p: images.read_image_folder(folder / p, size) for p in ("train", "test")}


if __name__ == "__main__":
    settings = snakemake.params.settings
    with step_log(snakemake):
        for kind, tensors in run(settings["name"], settings["size"]).items():
            write_tensors(snakemake.output[kind], tensors)
