"""Attacks on a sample of images, in the form in which they are stored."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from intriguing.attack import Adversarial
from intriguing.attack.targets import choose_targets
from intriguing.data import sample_indices, to_pixels
from intriguing.models.evaluation import predict

Stored = tuple[dict[str, Tensor], pd.DataFrame]
"""Tensors ``clean``, ``adversarial``, ``label``, ``target`` and ``index``; one record
an image."""
Search = Callable[[nn.Module, Tensor, Any], Adversarial]
"""From a model, images and targets (None: untargeted) to adversarial images."""


class Sample(NamedTuple):
    """Images of a data set, with their labels and their positions in it."""

    images: Float[Tensor, "n ..."]
    labels: Int[Tensor, " n"]
    index: Int[Tensor, " n"]


def select(
    images: UInt8[Tensor, "all ..."],
    labels: Int[Tensor, " all"],
    index: Int[Tensor, " n"],
) -> Sample:
    """Return the images of a data set at some positions."""
    return Sample(to_pixels(images[index]), labels[index], index)


def random_sample(
    images: UInt8[Tensor, "all ..."], labels: Int[Tensor, " all"], count: int, seed: int
) -> Sample:
    """Return ``count`` images of a data set, sampled without replacement."""
    index = torch.from_numpy(sample_indices(len(labels), count, seed))
    return select(images, labels, index)


def attack_sample(
    model: nn.Module, sample: Sample, rule: str, seed: int, search: Search
) -> Stored:
    """Attack every image of a sample, misclassified ones too.

    Args:
        model: Classifier from pixels to logits.
        sample: The images.
        rule: Rule of the targets, as in `choose_targets`.
        seed: Seed of the targets.
        search: Returns the adversarial images, given the model, images and targets.
    """
    logits = predict(model, sample.images)
    predictions = logits.argmax(1)
    targets = choose_targets(rule, sample.labels, predictions, logits.shape[1], seed)
    found = search(model, sample.images, targets)
    return stored(found, sample, targets, predictions)


def stored(
    found: Adversarial,
    sample: Sample,
    targets: Int[Tensor, " n"] | None,
    predictions: Int[Tensor, " n"],
) -> Stored:
    """Return the tensors and the records of an attack.

    Records hold no times: the same run gives the same bytes.

    Args:
        found: Result of the attack.
        sample: The images attacked.
        targets: Their targets; None for an untargeted attack, stored as -1.
        predictions: Classes of the unperturbed images.
    """
    images, labels, index = sample
    target = torch.full_like(labels, -1) if targets is None else targets
    perturbation = (found.images - images).flatten(1)
    columns = {
        "index": index,
        "label": labels,
        "target": target,
        "reached": found.reached,
        "prediction": found.prediction,
        "distortion": found.distortion,
        "l2": perturbation.norm(dim=1),
        "linf": perturbation.abs().amax(1),
        "weight": found.weight,
        "iterations": found.iterations,
        "evaluations": found.evaluations,
        "start": found.start,
        "clean_prediction": predictions,
    }
    records = pd.DataFrame({name: column.numpy() for name, column in columns.items()})
    failure = ["" if reached else "no weight succeeded" for reached in found.reached]
    tensors = {"clean": images, "adversarial": found.images, "label": labels}
    tensors |= {"target": target, "index": index}
    return tensors, records.assign(failure=failure)
