"""Certified distances of images, one after another, each by the cheapest method."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from tqdm import tqdm

from intriguing.attack import find_adversarial
from intriguing.attack.inputs import Classes, Images, checked_images
from intriguing.attack.model_checks import attacked_model
from intriguing.attack.watch import InterruptedWarning
from intriguing.bounds.certificates import (
    UNPROVED,
    Certificates,
    Leaf,
    multiplier_kinds,
)
from intriguing.bounds.decisions import METHODS, Decision, Ladder, decide, ladder
from intriguing.bounds.inputs import (
    checked_count,
    checked_labels,
    checked_radius,
    require_same_logits,
)
from intriguing.bounds.intervals import Ball
from intriguing.bounds.largest import largest_radius
from intriguing.bounds.network import Network, Vector, fully_connected
from intriguing.errors import InputError
from intriguing.models.checks import preserved
from intriguing.models.evaluation import predict

NODES, LARGEST_NODES, SEED = 200, 16, 0
"""Most programs of one class for a given radius, and of one radius that is tried."""


class Certified(NamedTuple):
    """What is proved of images, one row an image.

    Attributes:
        radius: Certified Euclidean distance: no image of the box that is nearer has
            another class. 0 where nothing is proved.
        status: ``certified``, ``falsified`` or ``undecided``; with no radius given,
            ``certified`` where the radius is above zero.
        on_ball: Whether the proof holds outside the box [0, 1] too.
        counterexample: An image of another class within the radius, or with no radius
            given the nearest that the attack found; elsewhere the clean image.
        certificate: The proofs, which `verify` checks.
    """

    radius: Float[np.ndarray, " n"]
    status: list[str]
    on_ball: Bool[np.ndarray, " n"]
    counterexample: Float[Tensor, "n ..."]
    certificate: Certificates

    def __repr__(self) -> str:
        """Return what is proved; images show only their shape."""
        shape = tuple(self.counterexample.shape)
        return (
            f"Certified(radius={self.radius}, status={self.status}, on_ball="
            f"{self.on_ball}, counterexample=<images {shape}>, "
            f"certificate={self.certificate})"
        )


def certify(
    model: nn.Module,
    images: Images,
    labels: Classes,
    radius: float | None = None,
    *,
    method: str = "branch-and-bound",
    nodes: int | None = None,
    seed: int = SEED,
) -> Certified:
    """Return certified distances to the nearest image of another class.

    On a terminal a bar shows the progress; an interrupt returns what is decided.

    Args:
        model: A fully connected network, pixels to logits: an `nn.Sequential` of Linear
            and ReLU, Sigmoid or Tanh. Flatten, Dropout, Identity and normalisations
            (torchvision's Normalize, batch normalisation) in evaluation mode may stand
            anywhere; the distances stay those of the images.
        images: Clean images (images, ...) in [0, 1], floating point.
        labels: Their true classes.
        radius: Distance to decide about; without one, the largest that can be proved.
        method: The strongest used: ``product``, ``crown``, ``sdp``, or
            ``branch-and-bound``. The last is for ReLU networks; sigmoid and tanh
            networks end with ``sdp``, and linear ones with ``crown``.
        nodes: Most semidefinite programs of one class before it is left undecided.
        seed: Of the attack's random starts.

    Raises:
        InputError: An argument is wrong; one line names it.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; known: {list(METHODS)}")
    network = fully_connected(model)
    given = checked_images(images)
    classes = checked_labels(network, labels, given)
    if nodes is None:
        nodes = LARGEST_NODES if radius is None else NODES
    most, seed = checked_count("nodes", nodes, 1), checked_count("seed", seed, 0)
    within = None if radius is None else checked_radius(radius, given[0].numel())
    with preserved(model):
        attacked, taken, logits = attacked_model(model, given)
        require_same_logits(network, attacked, given, logits)
        right = logits.argmax(1).cpu().numpy() == classes
        steps = ladder(network, method, most, seed)
        # Of the images as they were given, not as the model takes them.
        evaluate = partial(_classes, attacked, taken.dtype)
        found = _Results(given, evaluate, network)
        found.falsify(np.flatnonzero(~right))
        if within is None:
            _largest(model, steps, found, classes, right)
        else:
            _decide_all(steps, found, classes, right, within)
        return found.finished()


def _classes(model: nn.Module, kind: torch.dtype, images: Tensor) -> Tensor:
    """Return the classes that a model gives images, which it takes in some type."""
    return predict(model, images.to(kind)).argmax(1)


def _decide_all(
    steps: Ladder,
    found: "_Results",
    labels: np.ndarray,
    right: np.ndarray,
    radius: float,
) -> None:
    def work(i: int) -> None:
        label = int(labels[i])
        ball = Ball(found.points[i], radius, in_box=False)
        decision = decide(steps, ball, label)
        if decision.status == "undecided":
            decision = decide(steps, ball._replace(in_box=True), label)
        point = decision.counterexample
        if point is not None and not found.confirm(i, label, radius, point):
            decision = decision._replace(status="undecided")
        found.enter(i, radius, decision)

    _for_each(np.flatnonzero(right), work)


def _largest(
    model: nn.Module,
    steps: Ladder,
    found: "_Results",
    labels: np.ndarray,
    right: np.ndarray,
) -> None:
    rows = np.flatnonzero(right)
    if not len(rows):
        return
    clean = found.images[rows]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InterruptedWarning)
            given = model, clean
            nearest = find_adversarial(*given, method="minimal", labels=labels[rows])
    except InterruptedWarning:
        return _warn_of_interrupt(0, len(rows), 4)
    found.counterexample[rows] = nearest.images
    change = (nearest.images - clean).double().flatten(1).norm(dim=1).cpu().numpy()
    distances = np.full(len(right), np.inf)
    distances[rows] = np.where(nearest.reached.cpu().numpy(), change, np.inf)

    def work(i: int) -> None:
        label, upper = int(labels[i]), float(distances[i])
        best = largest_radius(steps, found.points[i], label, upper)
        if best.counterexample is not None:
            found.confirm(i, label, upper, best.counterexample)
        found.enter(i, best.radius, best.decision)

    _for_each(rows, work)


def _for_each(rows: np.ndarray, work: Callable[[int], None]) -> None:
    """Work on each row under a progress bar, until an interrupt."""
    bar = tqdm(rows, "certify", unit="image", disable=None, leave=False)
    done = 0
    with bar:
        try:
            for row in bar:
                work(int(row))
                done += 1
        except KeyboardInterrupt:
            _warn_of_interrupt(done, len(rows), 5)


def _warn_of_interrupt(done: int, images: int, level: int) -> None:
    said = f"interrupted after {done} of {images} images"
    warnings.warn(said, InterruptedWarning, stacklevel=level)


class _Results:
    """Results that are entered image by image."""

    def __init__(
        self, images: Tensor, evaluate: Callable[[Tensor], Tensor], network: Network
    ) -> None:
        count, units = len(images), sum(network.sizes)
        self.kinds = multiplier_kinds(network)
        classes = len(network.biases[-1])
        self.images, self.counterexample = images, images.clone()
        self.evaluate = evaluate
        self.points = images.double().flatten(1).cpu().numpy()
        self.status = ["undecided"] * count
        self.radius = np.zeros(count)
        self.in_box = np.zeros(count, bool)
        self.lower, self.upper = np.zeros((2, count, units))
        self.proof = np.full((count, classes), UNPROVED)
        self.leaves: list[tuple[int, int, Leaf]] = []

    def falsify(self, rows: np.ndarray) -> None:
        """Note images that are misclassified themselves."""
        for row in rows:
            self.status[row] = "falsified"

    def confirm(self, row: int, label: int, radius: float, point: Vector) -> bool:
        """Keep a counterexample if the model itself misclassifies it."""
        image = torch.as_tensor(point).reshape(self.images[row].shape)
        image = image.to(self.images)
        apart = (image.double() - self.images[row].double()).norm()
        if self.evaluate(image[None]) == label or apart > radius:
            return False
        self.counterexample[row] = image
        return True

    def enter(self, row: int, radius: float, decision: Decision) -> None:
        """Note what is known of an image."""
        self.status[row] = decision.status
        if decision.status != "certified":
            return
        self.radius[row], self.in_box[row] = radius, decision.ball.in_box
        if decision.intervals:
            ends = zip(*decision.intervals, strict=True)
            self.lower[row], self.upper[row] = map(np.concatenate, ends)
        self.proof[row] = decision.proof
        leaves = [(c, leaf) for c, found in decision.leaves.items() for leaf in found]
        self.leaves += [(row, other, leaf) for other, leaf in leaves]

    def finished(self) -> Certified:
        """Return all results."""
        leaves = [leaf for _, _, leaf in self.leaves]
        units, pixels = self.lower.shape[1], self.points.shape[1]
        count = len(leaves)
        certificate = Certificates(
            radius=self.radius,
            in_box=self.in_box,
            lower=self.lower,
            upper=self.upper,
            proof=self.proof,
            leaf_image=np.array([row for row, _, _ in self.leaves], int),
            leaf_class=np.array([other for _, other, _ in self.leaves], int),
            leaf_value=np.array([leaf.value for leaf in leaves], float),
            leaf_splits=_stacked([leaf.splits for leaf in leaves], (count, units), int),
            leaf_ball=np.array([leaf.ball for leaf in leaves], float),
            leaf_box=_stacked([leaf.box for leaf in leaves], (count, pixels), float),
            leaf_units=_stacked(
                [leaf.units for leaf in leaves], (count, self.kinds, units), float
            ),
        )
        return Certified(
            self.radius,
            self.status,
            (self.radius > 0) & ~self.in_box,
            self.counterexample,
            certificate,
        )


def _stacked(rows: list[np.ndarray], shape: tuple[int, ...], kind: Any) -> np.ndarray:
    return np.array(rows, kind).reshape(shape)
