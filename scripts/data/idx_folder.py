"""Step: read a user's images in MNIST's format, and write them as tensors."""

import torch

from intriguing.workflow.files import write_tensors
from intriguing.workflow.idx_folder import PARTS
from intriguing.workflow.idx_images import read_idx_pair
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake):
        for part in PARTS:
            paths = files[f"{part}_images"], files[f"{part}_labels"]
            images, labels = read_idx_pair(*paths, settings[f"{part}_images"], part)
            tensors = {
                "images": torch.from_numpy(images)[:, None],
                "labels": torch.from_numpy(labels).long(),
            }
            write_tensors(snakemake.output[part], tensors)
