"""Step: bounds of the Lipschitz constant of one network."""

from intriguing.bounds.records import constants
from intriguing.models.files import load_model
from intriguing.workflow.files import write_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import read_images

if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, threads = settings["seed"], settings["threads"]
    with step_log(snakemake, seed, threads):
        images, _ = read_images(files.test)
        found = constants(load_model(files.weights), images, seed)
        write_json(snakemake.output[0], found)
