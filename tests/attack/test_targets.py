"""Targets are wrong classes, sampled uniformly."""

import torch
from networks import seeded

from intriguing.attack.targets import choose_targets, next_targets, random_targets


def labels_and_predictions(count: int = 4000):
    generator = seeded()
    labels = torch.randint(10, (count,), generator=generator)
    wrong = torch.rand(count, generator=generator) < 0.2
    predictions = torch.where(wrong, (labels + 3) % 10, labels)
    return labels, predictions


def test_a_target_is_neither_the_label_nor_the_prediction():
    labels, predictions = labels_and_predictions()
    for targets in (
        random_targets(labels, predictions, 10, seed=1),
        next_targets(labels, predictions, 10),
    ):
        assert (targets != labels).all()
        assert (targets != predictions).all()
        assert targets.min() >= 0
        assert targets.max() <= 9


def test_every_other_class_is_as_likely():
    labels = torch.zeros(9000, dtype=torch.int64)
    sampled = random_targets(labels, labels, 10, seed=2)
    counts = sampled.bincount(minlength=10)[1:]
    # Ten standard deviations of a count of 1000.
    assert (counts - 1000).abs().max() < 10 * 30


def test_networks_that_agree_on_an_image_get_the_same_target():
    labels, predictions = labels_and_predictions()
    one = random_targets(labels, labels, 10, seed=3)
    two = random_targets(labels, predictions, 10, seed=3)
    agree = labels == predictions
    assert torch.equal(one[agree], two[agree])


def test_the_next_class_skips_the_prediction_and_the_nearest_is_no_target():
    labels, predictions = torch.tensor([0, 9, 4]), torch.tensor([0, 9, 5])
    assert next_targets(labels, predictions, 10).tolist() == [1, 0, 6]
    labels, predictions = labels_and_predictions(5)
    assert choose_targets("nearest", labels, predictions, 10, 0) is None
    sampled = choose_targets("random", labels, predictions, 10, 7)
    assert torch.equal(sampled, random_targets(labels, predictions, 10, 7))
