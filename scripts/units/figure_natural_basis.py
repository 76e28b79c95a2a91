"""Step: what the natural basis of a layer is, on one layer."""

import numpy as np
from matplotlib.figure import Figure

from intriguing.figures.units import natural_basis_figure
from intriguing.models.files import load_model
from intriguing.units.directions import activations, sample_units, top_images
from intriguing.units.measure import hidden_layers
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images


def run(weights: str, test: Images, settings: dict) -> Figure:
    """Return the figure.

    Args:
        weights: The network, whose last hidden layer is shown.
        test: Test images and labels.
        settings: ``images``, the number of them; ``columns`` of top images; ``seed``
            that draws the two units and a direction between them.
    """
    network, (pixels, labels) = load_model(weights), test
    place, seed = hidden_layers(network)[-1], settings["seed"]
    found = activations(network, pixels[: settings["images"]], [place])[place]
    units = sample_units(found, 2, settings["columns"], seed)
    angle = np.random.default_rng([seed, 9]).uniform(0.15, 0.35) * np.pi
    directions = {
        f"unit {units[0]}": (1.0, 0.0),
        f"unit {units[1]}": (0.0, 1.0),
        "random": (float(np.cos(angle)), float(np.sin(angle))),
    }
    plane = found[:, units]
    scores = plane @ plane.new_tensor(list(directions.values())).T
    shown = pixels.squeeze(1).numpy()
    rows = [shown[top] for top in top_images(scores, settings["columns"])]
    shown_labels = labels[: settings["images"]].numpy()
    return natural_basis_figure(plane.numpy(), shown_labels, directions, rows)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        figure = run(files.weights, read_images(files.test), settings)
        save_figure(figure, snakemake.output.png)
