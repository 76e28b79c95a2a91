"""Step: labelled ImageNet photographs as tensors."""

from safetensors.torch import save_file

from intriguing.workflow.files import replacing
from intriguing.workflow.images import read_photographs
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake):
        tensors = read_photographs(snakemake.params.settings["size"])
        with replacing(snakemake.output[0]) as temporary:
            save_file(tensors, temporary)
