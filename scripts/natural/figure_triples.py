"""Step: Figure 5, originals, magnified differences and adversarial images."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from safetensors.torch import load_file
from torchvision.models import get_model_weights

from intriguing.figures.directions import Rows, direction_figure
from intriguing.models.evaluation import predict
from intriguing.natural.images import triples
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.networks import read_networks
from intriguing.workflow.step import step_log

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
LONGEST = 16  # characters of a class's name
COLUMNS = ("original", "difference x10", "adversarial")


def run(settings: dict, weights: Sequence[str], images: Sequence[str]) -> Figure:
    """Return the figure: a line of panels for each kind of target, one a network.

    ``settings`` have ``networks`` and ``attacks`` by name; the number of ``rows`` of a
    panel; ``width`` in inches; ``data`` that the images are of. There is a file of
    images for each attack and network.
    """
    networks = read_networks(settings["networks"], weights)
    names, files, lines = class_names(settings["data"]), iter(images), {}
    for attack in settings["attacks"]:
        panels = lines[f"{attack} target"] = []
        for name, network in networks.items():
            stored = load_file(next(files))
            kinds = [stored[k][: settings["rows"]] for k in ("clean", "adversarial")]
            predictions = (predict(network, kind).argmax(1).tolist() for kind in kinds)
            pairs = zip(*predictions, strict=True)
            texts = [f"{names[b]}\n→ {names[a]}" for b, a in pairs]
            panels.append(Rows(name, texts, triples(*kinds), COLUMNS))
    return direction_figure(lines, settings["width"])


def class_names(data: str) -> Sequence[str]:
    """Return the classes of a data set, long names cut."""
    if data == "cifar10":
        return CIFAR10
    names = get_model_weights("alexnet").DEFAULT.meta["categories"]
    return [n if len(n) <= LONGEST else f"{n[: LONGEST - 1]}…" for n in names]


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        figure = run(settings, files.weights, files.images)
        save_figure(figure, snakemake.output.png)
