"""The ladder of methods for one image: from the cheapest bound to branch and bound."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import nn

from intriguing.bounds.adversary import (
    FLIPPED,
    Attacked,
    box_multipliers,
    least_margin,
    random_starts,
)
from intriguing.bounds.branching import Question, prove_in_ball, prove_in_box
from intriguing.bounds.certificates import (
    BY_CROWN,
    BY_LEAVES,
    BY_PRODUCT,
    UNPROVED,
    Leaf,
)
from intriguing.bounds.check_leaf import leaf_proves
from intriguing.bounds.check_linear import Claim
from intriguing.bounds.intervals import (
    Interval,
    intervals_in_ball,
    layer_norms,
    linear_lower_bound,
)
from intriguing.bounds.network import ACTIVATIONS, Network, contrast, logits_of

METHODS = ("product", "crown", "sdp", "branch-and-bound")
"""From the cheapest to the strongest; each includes the ones before it."""
STARTS, STEPS = 8, 60
LONGER = 200
"""Starts and steps of the attack before any program, and steps of the one after it."""
STRICT = 1e-9
"""Least margin that counts as positive, in bounds without a program."""

Vector = Float[np.ndarray, " _"]


class Decision(NamedTuple):
    """What is known of one image at one radius.

    Attributes:
        status: ``certified``, ``falsified`` or ``undecided``.
        proof: How the margin over each class is proved, as in `certificates`.
        leaves: Of each class whose margin programs prove.
        counterexample: Another class's image, or None.
        intervals: Of the pre-activations in the ball.
        value: Least bound of an unproved margin; 0 where all are proved.
    """

    status: str
    proof: np.ndarray
    leaves: Mapping[int, tuple[Leaf, ...]]
    counterexample: Vector | None
    intervals: Sequence[Interval]
    value: float


class Ladder(NamedTuple):
    """A network, and how far to go.

    Attributes:
        network: The network.
        norms: Spectral norms of its layers.
        method: One of `METHODS`.
        most_nodes: Programs of one class after which to give up.
        seed: Of the attack's random starts.
    """

    network: Network
    norms: Sequence[float]
    method: str
    most_nodes: int
    seed: int

    def includes(self, method: str) -> bool:
        """Say whether the ladder goes as far as a method."""
        return METHODS.index(method) <= METHODS.index(self.method)


def ladder(network: Network, method: str, most_nodes: int, seed: int) -> Ladder:
    """Return the ladder up to a method; programs are for ReLU networks only."""
    if network.activation is not nn.ReLU or not network.sizes:
        method = min(method, "crown", key=METHODS.index)
    return Ladder(network, layer_norms(network), method, most_nodes, seed)


def decide(steps: Ladder, image: Vector, label: int, radius: float) -> Decision:
    """Decide whether the prediction of an image is constant in ball and box.

    Args:
        steps: How far to go.
        image: Flat pixels.
        label: Class that the network gives it.
        radius: Of the ball, by Euclidean distance.
    """
    network = steps.network
    intervals = intervals_in_ball(network, image, radius, steps.norms)
    proof = cheap_proofs(steps, image, label, radius, intervals)
    others = np.arange(len(proof)) != label
    found = Decision("certified", proof, {}, None, intervals, 0.0)
    open_classes = np.flatnonzero((proof == UNPROVED) & others)
    if not len(open_classes):
        return found
    attacks = {}
    starts = random_starts(image, radius, STARTS, steps.seed)
    for other in open_classes:
        weights = contrast(len(proof), label, int(other))
        attack = least_margin(network, image, radius, weights, starts, STEPS)
        if attack.margin < FLIPPED:
            return found._replace(status="falsified", counterexample=attack.image)
        attacks[int(other)] = attack
    if not steps.includes("sdp"):
        return found._replace(status="undecided", value=-np.inf)
    return _by_programs(steps, image, label, radius, found, attacks)


def cheap_proofs(
    steps: Ladder,
    image: Vector,
    label: int,
    radius: float,
    intervals: Sequence[Interval],
) -> np.ndarray:
    """Return which margins the product of norms and CROWN prove."""
    network = steps.network
    logits = logits_of(network, image[None])[0]
    weight, bias = network.weights[-1], network.biases[-1]
    rows, offsets = weight[label] - weight, bias[label] - bias
    steepest = ACTIVATIONS[network.activation].steepest
    constant = np.prod([steepest * norm for norm in steps.norms[:-1]])
    lengths = np.linalg.norm(rows, axis=1)
    proof = np.full(len(logits), UNPROVED)
    if steps.includes("crown"):
        ball = network, image, radius, intervals
        proof[linear_lower_bound(*ball, rows, offsets) > STRICT] = BY_CROWN
    by_product = logits[label] - logits - constant * lengths * radius > STRICT
    proof[by_product] = BY_PRODUCT
    proof[label] = UNPROVED
    return proof


def _by_programs(
    steps: Ladder,
    image: Vector,
    label: int,
    radius: float,
    found: Decision,
    attacks: Mapping[int, Attacked],
) -> Decision:
    """Prove the remaining margins, the most endangered first."""
    for other in sorted(attacks, key=lambda one: attacks[one].margin):
        weights = contrast(len(found.proof), label, other)
        question = Question(steps.network, image, radius, found.intervals, weights)
        proof = prove_in_ball(question)
        if not proof.leaves and proof.counterexample is None:
            box = _box(question, attacks[other])
            if isinstance(box, Attacked):
                return found._replace(status="falsified", counterexample=box.image)
            nodes = steps.most_nodes if steps.includes("branch-and-bound") else 1
            proof = prove_in_box(question, box, nodes)
        if proof.counterexample is not None:
            # Its margin may be too small for the model's own precision.
            starts = proof.counterexample[None]
            deeper = least_margin(*question.around, starts, LONGER)
            return found._replace(status="falsified", counterexample=deeper.image)
        if not proof.leaves or not _pass_check(question, label, other, proof.leaves):
            return found._replace(status="undecided", value=proof.value)
        found.proof[other] = BY_LEAVES
        found = found._replace(leaves={**found.leaves, other: proof.leaves})
    return found


def _pass_check(
    question: Question, label: int, other: int, leaves: Sequence[Leaf]
) -> bool:
    """Return whether `verify` accepts leaves, whose margins may be within rounding."""
    lower, upper = map(list, zip(*question.intervals, strict=True))
    # The check of leaves takes the claimed ends as they are, without the layers' norms.
    around = question.network, (), question.image, question.radius
    claim = Claim(*around, lower, upper)
    return all(leaf_proves(claim, label, other, leaf) for leaf in leaves)


def _box(question: Question, attack: Attacked) -> Vector | Attacked:
    """Return the box's multipliers at the end of a longer attack, or its success."""
    longer = least_margin(*question.around, attack.image[None], LONGER)
    if longer.margin < FLIPPED:
        return longer
    best = min(attack, longer, key=lambda one: one.margin)
    return box_multipliers(best.gradient, question.image, question.radius)
