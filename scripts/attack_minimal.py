"""Step: the shortest perturbations of the images that the paper's method perturbed."""

import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from intriguing.attack import find_adversarial
from intriguing.attack.records import records_of
from intriguing.models import load_model, predict
from intriguing.shortest import require_never_longer
from intriguing.workflow.files import replacing
from intriguing.workflow.step import step_log


def run(
    weights: str, images: str, starts: int
) -> tuple[dict[str, torch.Tensor], pd.DataFrame]:
    """Attack the same images towards the same targets.

    Images to start from are those training images themselves; the paper's solutions
    are among the starts, so that none comes out longer.

    Args:
        weights: The network.
        images: File of the paper's method for this network.
        starts: Most starts of an image, the paper's solution not counted.
    """
    model, paper = load_model(weights), load_file(images)
    clean, labels, target = paper["clean"], paper["label"], paper["target"]
    found = find_adversarial(
        model,
        clean,
        target,
        method="minimal",
        starts=starts,
        start_images=clean,
        known=paper["adversarial"],
    )
    answers = predict(model, clean).argmax(1)
    table = records_of(found, clean, labels, target, answers, paper["index"])
    reached = predict(model, paper["adversarial"]).argmax(1) == target
    require_never_longer(
        lengths(found.images, clean, found.reached),
        lengths(paper["adversarial"], clean, reached),
    )
    return {**paper, "adversarial": found.images}, table


def lengths(images: torch.Tensor, clean: torch.Tensor, reached: torch.Tensor):
    """Return distortions in double precision, infinite where the target is missed."""
    distortion = (images - clean).double().flatten(1).square().mean(1).sqrt()
    return distortion.masked_fill(~reached, torch.inf).numpy()


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        tensors, table = run(files.weights, files.images, settings["starts"])
        with replacing(snakemake.output.images) as temporary:
            save_file(tensors, temporary)
        with replacing(snakemake.output.records) as temporary:
            table.to_parquet(temporary, index=False)
