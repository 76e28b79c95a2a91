"""Step: adversarial natural images for one network (Figure 5)."""

import torch
from safetensors.torch import load_file

from intriguing.attack import find_adversarial
from intriguing.attack.sampled import Stored, select, stored
from intriguing.attack.targets import random_targets
from intriguing.attack.weights import Refinement
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.natural.targets import sample_of_job
from intriguing.workflow.files import write_parquet, write_tensors
from intriguing.workflow.step import step_log


def run(settings: dict, weights: str, images: str) -> Stored:
    """Attack images sampled by the first seed; misclassified ones are kept.

    ``settings`` have a class as ``target``, or None for one sampled for each image;
    ``images`` of all ``shares`` together, and which ``share`` to attack; the ``seed``;
    ``starts``, ``tolerance`` and ``iterations`` of the search.
    """
    data, seed, target = load_file(images), settings["seed"], settings["target"]
    share, tolerance = settings["share"], settings["tolerance"]
    # Channels last are faster for convolutions of photographs.
    model = load_model(weights).to(memory_format=torch.channels_last)
    jobs = settings["images"], share, settings["shares"]
    index = torch.from_numpy(sample_of_job(data["labels"], target, *jobs, seed))
    sample = select(data["images"], data["labels"], index)
    logits = predict(model, sample.images)
    predictions, labels = logits.argmax(1), sample.labels
    targets = torch.full_like(labels, target or 0)
    if target is None:
        targets = random_targets(labels, predictions, logits.shape[1], seed + share)
    found = find_adversarial(
        model,
        sample.images,
        targets,
        labels=labels,
        method="lbfgs",
        first_weights=settings["starts"],
        tolerance=tolerance,
        iterations=settings["iterations"],
        # The weight needs no more accuracy than the solves that test it.
        rule=Refinement(tolerance, tolerance / 10),
    )
    return stored(found, sample, targets, predictions)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        tensors, records = run(settings, files.weights, files.images)
        write_tensors(snakemake.output.images, tensors)
        write_parquet(snakemake.output.records, records)
