"""The ladder of methods for one image: from the cheapest bound to branch and bound."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from torch import nn

from intriguing.bounds.adversary import (
    FLIPPED,
    Attacked,
    box_multipliers,
    least_margin,
    random_starts,
)
from intriguing.bounds.branching import Hint, Question, prove
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
    Ball,
    Interval,
    intervals_in_ball,
    layer_norms,
    linear_lower_bound,
)
from intriguing.bounds.network import ACTIVATIONS, Network, Vector, contrast, logits_of

METHODS = ("product", "crown", "sdp", "branch-and-bound")
"""From the cheapest to the strongest; each includes the ones before it."""
STARTS, STEPS = 8, 60
LONGER = 200
"""Starts and steps of the attack before any program, and steps of the one after it."""
STRICT = 1e-9
"""Least margin that counts as positive, in bounds without a program."""


class Decision(NamedTuple):
    """What is known of one image at one radius.

    Attributes:
        ball: The images that the decision is about.
        status: ``certified``, ``falsified`` or ``undecided``.
        proof: How the margin over each class is proved, as in `certificates`.
        leaves: Of each class whose margin programs prove.
        counterexample: Another class's image, or None.
        intervals: Of the pre-activations there.
        value: Least bound of an unproved margin; 0 where all are proved.
    """

    ball: Ball
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
    """Return the ladder up to a method, as far as the network has use for it.

    Programs are for networks with hidden units, and branching is for ReLU networks.
    """
    if not network.sizes:
        method = min(method, "crown", key=METHODS.index)
    elif network.activation is not nn.ReLU:
        method = min(method, "sdp", key=METHODS.index)
    return Ladder(network, layer_norms(network), method, most_nodes, seed)


def decide(steps: Ladder, ball: Ball, label: int) -> Decision:
    """Decide whether the prediction of an image, its label, is constant near it."""
    found = decide_cheaply(steps, ball, label)
    if found.status == "certified":
        return found
    attacks = {}
    starts = random_starts(ball.image, ball.radius, STARTS, steps.seed)
    for other in np.flatnonzero(found.proof == UNPROVED):
        if other != label:
            weights = contrast(len(found.proof), label, int(other))
            around = steps.network, ball.image, ball.radius, weights
            attack = least_margin(*around, starts, STEPS)
            if attack.margin < FLIPPED:
                return found._replace(status="falsified", counterexample=attack.image)
            attacks[int(other)] = attack
    if not steps.includes("sdp"):
        return found
    return _by_programs(steps, label, found, attacks)


def decide_cheaply(steps: Ladder, ball: Ball, label: int) -> Decision:
    """Decide by the product of norms and CROWN alone: certified, or undecided."""
    intervals = intervals_in_ball(steps.network, ball, steps.norms)
    proof = _cheap_proofs(steps, ball, label, intervals)
    proved = np.delete(proof != UNPROVED, label).all()
    status, value = ("certified", 0.0) if proved else ("undecided", -np.inf)
    return Decision(ball, status, proof, {}, None, intervals, value)


def _cheap_proofs(
    steps: Ladder, ball: Ball, label: int, intervals: Sequence[Interval]
) -> np.ndarray:
    """Return which margins the product of norms and CROWN prove."""
    network = steps.network
    logits = logits_of(network, ball.image[None])[0]
    weight, bias = network.weights[-1], network.biases[-1]
    rows, offsets = weight[label] - weight, bias[label] - bias
    steepest = ACTIVATIONS[network.activation].steepest
    constant = np.prod([steepest * norm for norm in steps.norms[:-1]])
    lengths = np.linalg.norm(rows, axis=1)
    proof = np.full(len(logits), UNPROVED)
    if steps.includes("crown"):
        least = linear_lower_bound(network, ball, intervals, rows, offsets)
        proof[least > STRICT] = BY_CROWN
    by_product = logits[label] - logits - constant * lengths * ball.radius > STRICT
    proof[by_product] = BY_PRODUCT
    proof[label] = UNPROVED
    return proof


def _by_programs(
    steps: Ladder,
    label: int,
    found: Decision,
    attacks: Mapping[int, Attacked],
) -> Decision:
    """Prove the remaining margins, the most endangered first."""
    branched = steps.includes("branch-and-bound") and found.ball.in_box
    for other in sorted(attacks, key=lambda one: attacks[one].margin):
        weights = contrast(len(found.proof), label, other)
        question = Question(steps.network, found.ball, found.intervals, weights)
        starts = attacks[other].image[None]
        longer = least_margin(*question.around, starts, LONGER)
        attack = min(attacks[other], longer, key=lambda one: one.margin)
        if attack.margin < FLIPPED:
            return found._replace(status="falsified", counterexample=attack.image)
        hint = Hint(attack.image, _box(found.ball, attack))
        proof = prove(question, hint, steps.most_nodes if branched else 1)
        if proof.counterexample is not None:
            # Its margin may be too small for the model's own precision.
            starts = proof.counterexample[None]
            deeper = least_margin(*question.around, starts, LONGER)
            return found._replace(status="falsified", counterexample=deeper.image)
        if not proof.leaves or not _pass_check(question, label, other, proof.leaves):
            return found._replace(status="undecided", value=proof.value)
        found.proof[other] = BY_LEAVES
        found = found._replace(leaves={**found.leaves, other: proof.leaves})
    return found._replace(status="certified", value=0.0)


def _pass_check(
    question: Question, label: int, other: int, leaves: Sequence[Leaf]
) -> bool:
    """Return whether `verify` accepts leaves, whose margins may be within rounding."""
    lower, upper = map(list, zip(*question.intervals, strict=True))
    # The check of leaves takes the claimed ends as they are, without the layers' norms.
    claim = Claim(question.network, (), *question.ball, lower, upper)
    return all(leaf_proves(claim, label, other, leaf) for leaf in leaves)


def _box(ball: Ball, attack: Attacked) -> Vector:
    """Return the box's multipliers at an attack's end; zeros for the whole ball."""
    if not ball.in_box:
        return np.zeros_like(attack.image)
    return box_multipliers(attack.gradient, ball.image, ball.radius)
