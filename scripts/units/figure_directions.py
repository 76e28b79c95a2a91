"""Step: Figures 1 to 4, top images of single units and of random directions."""

from matplotlib.figure import Figure
from safetensors.torch import load_file

from intriguing.data import to_pixels
from intriguing.figures.directions import Rows, direction_figure
from intriguing.models.files import load_model
from intriguing.units.directions import (
    activations,
    random_directions,
    sample_units,
    top_images,
)
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(settings: dict, weights: str, images: str) -> Figure:
    """Return the figure: layers below each other, units beside random directions.

    ``settings`` have ``layers``, what each is called by its place; ``rows`` and
    ``columns`` of a panel; the ``seed`` of the rows; ``width`` in inches. The network
    was not trained on the images.
    """
    network, pixels = load_model(weights), to_pixels(load_file(images)["images"])
    found = activations(network, pixels, list(settings["layers"]))
    rows, columns, seed = settings["rows"], settings["columns"], settings["seed"]
    shown = pixels.permute(0, 2, 3, 1).squeeze(3).numpy()
    layers = {}
    for place, name in settings["layers"].items():
        units = sample_units(found[place], rows, columns, seed)
        drawn = random_directions(found[place].shape[1], rows, seed)
        scores = {
            "single units": ([f"unit {u}" for u in units], found[place][:, units]),
            "random directions": (
                [f"random {i}" for i in range(rows)],
                found[place] @ drawn.T,
            ),
        }
        layers[name] = [
            Rows(title, names, shown[top_images(score, columns)])
            for title, (names, score) in scores.items()
        ]
    return direction_figure(layers, settings["width"])


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        figure = run(settings, files.weights, files.images)
        save_figure(figure, snakemake.output.png)
