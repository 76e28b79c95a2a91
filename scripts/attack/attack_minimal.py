"""Step: the shortest perturbations of the images that the paper's method perturbed."""

import pandas as pd
from safetensors.torch import load_file, save_file
from torch import Tensor

from intriguing.attack import minimal, verified_result
from intriguing.attack.minimal_norm import require_never_longer
from intriguing.attack.objective import target_mask_of
from intriguing.attack.records import records_of
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.workflow.files import replacing
from intriguing.workflow.step import step_log


def run(
    weights: str, images: str, starts: int
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Attack the same images towards the same targets.

    The paper's solutions are among the starts, so that none comes out longer; the
    others begin far away, near those same training images.

    Args:
        weights: The network.
        images: File of the paper's method for this network.
        starts: Most starts of an image, the paper's solution not counted.
    """
    model, paper = load_model(weights), load_file(images)
    clean, target, labels = paper["clean"], paper["target"], paper["label"]
    logits = predict(model, clean)
    goals = target if (target >= 0).all() else None  # -1: any other class would do
    target_mask = target_mask_of(logits.shape[1], goals, labels)
    found = minimal.search(
        model,
        clean,
        target_mask,
        starts=starts,
        start_images=clean,
        known=paper["adversarial"],
    )
    judged = verified_result(model, clean, target_mask, found)
    index = paper["index"]
    table = records_of(judged, clean, labels, target, logits.argmax(1), index)
    table["failure"] = table["failure"].mask(~table["reached"], "no start succeeded")
    table = table.assign(tied=found.tied.numpy(), converged=found.converged.numpy())
    reached = target_mask.gather(
        1, predict(model, paper["adversarial"]).argmax(1)[:, None]
    )
    shortest = lengths(judged.images, clean, judged.reached)
    require_never_longer(shortest, lengths(paper["adversarial"], clean, reached[:, 0]))
    return {**paper, "adversarial": judged.images}, table


def lengths(images: Tensor, clean: Tensor, reached: Tensor):
    """Return distortions in double precision, infinite where the target is missed."""
    distortion = (images - clean).double().flatten(1).square().mean(1).sqrt()
    return distortion.masked_fill(~reached, float("inf")).numpy()


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        tensors, table = run(files.weights, files.images, settings["starts"])
        with replacing(snakemake.output.images) as temporary:
            save_file(tensors, temporary)
        with replacing(snakemake.output.records) as temporary:
            table.to_parquet(temporary, index=False)
