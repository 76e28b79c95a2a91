"""Step: the page on which a reader changes a perturbation and sees what it fools."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from safetensors.torch import load_file

from intriguing.errors import InputError
from intriguing.transfer.explorer import described_images, described_network
from intriguing.workflow.files import write_text
from intriguing.workflow.networks import read_networks
from intriguing.workflow.step import step_log


def run(
    template: Path,
    networks: Mapping[str, str],
    images: Mapping[str, Mapping[str, str]],
    targets: int,
) -> str:
    """Return the page.

    Args:
        template: The page without its data.
        networks: File of each network.
        images: Files of images by attack, for each network that was attacked.
        targets: Number of targets for each digit.
    """
    models = read_networks(networks, networks.values())
    described = {name: described_network(model) for name, model in models.items()}
    sources = {}
    for name, files in images.items():
        made = {attack: load_file(path) for attack, path in files.items()}
        if len({tuple(one["index"].tolist()) for one in made.values()}) > 1:
            raise InputError(f"{name}: the attacks are on different images")
        sources[name] = described_images(made, targets)
    pages = Environment(loader=FileSystemLoader(template.parent), autoescape=True)
    pages.policies["json.dumps_kwargs"] = {"sort_keys": False}
    data = {"networks": described, "sources": sources}
    return pages.get_template(template.name).render(data=data)


if __name__ == "__main__":
    files, settings = snakemake.input, snakemake.params.settings
    with step_log(snakemake, threads=settings["threads"]):
        networks = dict(zip(settings["networks"], files.weights, strict=True))
        pairs = zip(files.lbfgs, files.minimal, strict=True)
        made = [{"lbfgs": one, "minimal": other} for one, other in pairs]
        images = dict(zip(settings["sources"], made, strict=True))
        page = run(Path(files.template), networks, images, settings["targets"])
        write_text(snakemake.output[0], page)
