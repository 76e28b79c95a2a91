"""Step: the Lipschitz constant of each layer of a network, and cheaper estimates."""

from intriguing.models.files import load_model
from intriguing.spectra.summary import summary
from intriguing.workflow.files import write_json
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    settings = snakemake.params.settings
    with step_log(snakemake, threads=settings["threads"]):
        network = load_model(snakemake.input.weights)
        write_json(snakemake.output[0], summary(network, tuple(settings["shape"])))
