"""Step: minimal perturbations of the images that the paper's method perturbed."""

from safetensors.torch import load_file
from torch import Tensor

from intriguing.attack import minimal
from intriguing.attack.inputs import AttackedModel
from intriguing.attack.never_longer import require_never_longer
from intriguing.attack.objective import target_mask_of
from intriguing.attack.result import verified_result
from intriguing.attack.sampled import Sample, Stored, stored
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.workflow.files import write_parquet, write_tensors
from intriguing.workflow.step import step_log


def run(weights: str, images: str, starts: int) -> Stored:
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
    targets = target if (target >= 0).all() else None  # -1: untargeted
    target_mask = target_mask_of(logits.shape[1], targets, labels)
    known = paper["adversarial"]
    given = {"starts": starts, "start_images": clean, "known": known}
    found = minimal.search(model, clean, target_mask, **given)
    attacked = AttackedModel(model, clean.dtype)
    judged = verified_result(attacked, clean, target_mask, logits, found)
    sample = Sample(clean, labels, paper["index"])
    tensors, records = stored(judged, sample, targets, logits.argmax(1))
    failure = records["failure"].mask(~records["reached"], "no start succeeded")
    searched = {"tied": found.tied.numpy(), "converged": found.converged.numpy()}
    reached = target_mask.gather(1, predict(model, known).argmax(1)[:, None])
    lengths = distortions(judged.images, clean, judged.reached)
    require_never_longer(lengths, distortions(known, clean, reached[:, 0]))
    return tensors, records.assign(failure=failure, **searched)


def distortions(images: Tensor, clean: Tensor, reached: Tensor):
    """Return distortions in double precision, infinite where the target is missed."""
    distortion = (images - clean).double().flatten(1).square().mean(1).sqrt()
    return distortion.masked_fill(~reached, float("inf")).numpy()


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        tensors, records = run(files.weights, files.images, settings["starts"])
        write_tensors(snakemake.output.images, tensors)
        write_parquet(snakemake.output.records, records)
