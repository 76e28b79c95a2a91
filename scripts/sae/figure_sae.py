"""Step: one adversarial perturbation through a sparse code."""

from matplotlib.figure import Figure

from intriguing.figures.sae import sae_figure
from intriguing.models.files import load_model
from intriguing.sae.attacked import attack_both
from intriguing.sae.example import example_of, typical_image
from intriguing.sae.measure import START_IMAGES, CodeSettings, layers_of
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images


def run(weights: str, train: Images, test: Images, settings: dict) -> Figure:
    """Return the figure, for the last hidden layer.

    Args:
        weights: The network.
        train: Training images and labels.
        test: Test images and labels.
        settings: Of the ``code``; ``candidates``, the number of images of which the one
            with the median perturbation is shown; ``seed``.
    """
    network, seed, count = load_model(weights), settings["seed"], settings["candidates"]
    *_, layer = layers_of(network)
    code = CodeSettings(**settings["code"]).fit(layer.encoder(train[0]), seed)
    images = test[0][:count], test[1][:count], train[0][:START_IMAGES]
    attacked, _ = attack_both(network, network, *images, seed)
    number = typical_image(attacked)
    example = example_of(layer, code, attacked, number, layer.encoder(test[0]))
    return sae_figure(example, test[0].squeeze(1).numpy())


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        sets = read_images(files.train), read_images(files.test)
        save_figure(run(files.weights[0], *sets, settings), snakemake.output.png)
