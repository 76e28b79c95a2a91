"""Step: selectivity of the bases of every hidden layer of one network."""

import pandas as pd
from torch import nn

from intriguing.models.files import load_model
from intriguing.training.rectified import fit_classifier
from intriguing.training.untrained import untrained_twin
from intriguing.units.directions import activations
from intriguing.units.measure import hidden_layers, measure_layer
from intriguing.units.networks import control_network, rotated_bases
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images


def run(
    settings: dict, network: nn.Sequential, test: Images, seed: int
) -> pd.DataFrame:
    """Return `measure_layer` of all layers, of the network and its untrained twin.

    Args:
        settings: ``images``, the number of test images; ``rotations``; ``fractions``.
        network: The trained network.
        test: Test images and labels.
        seed: Of the network, and of the rotations.
    """
    pixels, labels = (part[: settings["images"]] for part in test)
    places, bases = hidden_layers(network), rotated_bases(network)
    frames = []
    for trained, one in ((True, network), (False, untrained_twin(network, seed))):
        found = activations(one, pixels, places)
        for layer, place in enumerate(places, 1):
            others = {"rotated": bases[place]} if place in bases else {}
            how = settings["rotations"], settings["fractions"], seed
            rows = measure_layer(found[place], labels, others, *how)
            frames.append(rows.assign(trained=trained, layer=layer))
    return pd.concat(frames, ignore_index=True).assign(seed=seed)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    name, seed = snakemake.wildcards.network, int(snakemake.wildcards.seed)
    with step_log(snakemake, seed, settings["threads"]):
        if weights := files.get("weights"):
            network = load_model(weights)
        else:
            untrained = control_network(name, seed)
            network = fit_classifier(untrained, *read_images(files.train), seed)
        measured = run(settings, network, read_images(files.test), seed)
        write_parquet(snakemake.output[0], measured.assign(network=name))
