"""Step: labelled ImageNet photographs as tensors."""

from intriguing.workflow.files import write_tensors
from intriguing.workflow.images import read_photographs
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake):
        tensors = read_photographs(snakemake.params.settings["size"])
        write_tensors(snakemake.output[0], tensors)
