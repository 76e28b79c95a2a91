"""Step: Figure 7, digits before and after the attack, and with noise."""

from matplotlib.figure import Figure

from intriguing.figures.examples import adversarial_panel, example_figure, noise_panel
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.networks import images_made, read_networks
from intriguing.workflow.step import step_log


def run(settings: dict, weights: list[str], images: list[str]) -> Figure:
    """Return the figure: a panel for each network, then one for noise.

    ``settings`` have ``networks`` by name; ``deviation`` of the noise and its ``seed``.
    There is a file of weights and one of images for each network.
    """
    models, panels = read_networks(settings["networks"], weights), []
    for name, made in images_made(models, images, "panels"):
        clean, labels, found = made["clean"], made["label"], made["adversarial"]
        panels.append(adversarial_panel(name, models[name], clean, found, labels))
    last_first = dict(reversed(models.items()))
    how = settings["deviation"], settings["seed"]
    return example_figure([*panels, noise_panel(last_first, clean, labels, *how)])


if __name__ == "__main__":
    files, settings = snakemake.input, snakemake.params.settings
    with step_log(snakemake, settings["seed"], settings["threads"]):
        figure = run(settings, files.weights, files.images)
        save_figure(figure, snakemake.output.png)
