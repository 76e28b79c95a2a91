"""Step: the gain of every layer of one network, beside what cheaper methods give."""

import json
from pathlib import Path

from intriguing.models import load_model
from intriguing.spectra.layers import measure_network, product_bound
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log


def run(weights: str, shape: tuple[int, int, int]) -> dict:
    """Return layers in their order, and bounds of the network's gain.

    Args:
        weights: File of the network.
        shape: Channels, height and width of its images.
    """
    network = load_model(weights)
    found = measure_network(network, shape)
    upper = {place: layer.upper for place, layer in found.items()}
    weighted = {p: u for p, u in upper.items() if found[p].kind in ("conv", "fc")}
    return {
        "layers": [layer._asdict() for layer in found.values()],
        "product": product_bound(network, upper),
        # The paper's: it takes all that has no weights to be contractive.
        "product-of-norms": product_bound(network, weighted),
    }


if __name__ == "__main__":
    settings = snakemake.params.settings
    with step_log(snakemake, threads=settings["threads"]):
        found = run(snakemake.input.weights, tuple(settings["shape"]))
        write_text(Path(snakemake.output[0]), json.dumps(found, indent=1) + "\n")
