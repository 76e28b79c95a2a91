"""Step: adversarial natural images for one network (Figure 5)."""

import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from intriguing.attack import find_adversarial
from intriguing.attack.lbfgs import Accuracy
from intriguing.attack.records import records_of
from intriguing.attack.weights import refine
from intriguing.data import to_pixels
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.natural.targets import candidates, sample_of_job, target_classes
from intriguing.workflow.files import replacing
from intriguing.workflow.step import step_log


def run(
    settings: dict, part: int, weights: str, images: str
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Attack images drawn by the first seed; misclassified ones are kept.

    Args:
        settings: ``target``, a class, or None for one drawn for each image; ``images``
            of all ``parts`` together; ``seed`` that draws them; ``starts``,
            ``tolerance`` and ``iterations`` of the search.
        part: Which share of the images.
        weights: The network.
        images: Images and labels.
    """
    stored, seed, tolerance = load_file(images), settings["seed"], settings["tolerance"]
    # Channels last are faster for convolutions of photographs.
    model = load_model(weights).to(memory_format=torch.channels_last)
    known, target = candidates(stored["labels"], settings["target"]), settings["target"]
    share = sample_of_job(known, settings["images"], part, settings["parts"], seed)
    index = torch.from_numpy(share)
    clean, labels = to_pixels(stored["images"][index]), stored["labels"][index]
    logits = predict(model, clean)
    answers, classes = logits.argmax(1), logits.shape[1]
    targets = target_classes(labels, answers, classes, target, seed + part)
    how = {"starts": settings["starts"], "labels": labels}
    how |= {"accuracy": Accuracy(tolerance, iterations=settings["iterations"])}
    # A weight need not be known better than the solves that judge it.
    how |= {"rule": refine(tolerance, tolerance / 10)}
    found = find_adversarial(model, clean, targets, **how)
    tensors = {"clean": clean, "adversarial": found.images, "label": labels}
    table = records_of(found, clean, labels, targets, answers, index)
    return {**tensors, "target": targets, "index": index}, table


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        tensors, table = run(settings, settings["part"], files.weights, files.images)
        with replacing(snakemake.output.images) as temporary:
            save_file(tensors, temporary)
        with replacing(snakemake.output.records) as temporary:
            table.to_parquet(temporary, index=False)
