"""`kinks` of one image, compiled."""

import numpy as np
from numba import njit

from intriguing.attack.vectors import INNER, ZERO, copy, gain


@njit(**INNER)
def free_seat(gap, multiplier, cuts, made):
    """Return the seat of the next cut: one that is free, or at least does not bind.

    Where all bind they are taken in turn.
    """
    seats = len(gap)
    for k in range(seats - cuts, seats):
        if gap[k] == np.inf:
            return k
    for k in range(seats - cuts, seats):
        if multiplier[k] == 0:
            return k
    return seats - 1 - made % cuts


@njit(**INNER)
def seat_cut(i, rival, gap, slopes, k, multiplier, arrays, rules):
    """Give a seat to a cut, whose slope is row ``k`` of some slopes."""
    slot, prices = arrays.slot[i], arrays.multiplier[i]
    seat = free_seat(arrays.gap[i], prices, rules.cuts, slot.cuts)
    copy(arrays.slopes[i, seat], slopes[k])
    arrays.classes[i, seat], arrays.gap[i, seat] = rival, gap
    prices[seat] = multiplier
    slot.cuts += 1


@njit(**INNER)
def add_cut(i, rival, margin, slopes, arrays, rules):
    """Add the linearisation at a refused trial point; say whether that matters."""
    slot = arrays.slot[i]
    gap = margin + gain(slopes[0], arrays.trial[i], arrays.image[i])
    if not gap >= arrays.margins[i, rival] - rules.slack * slot.unit:
        return False
    if not gap + gain(slopes[0], arrays.image[i], arrays.projected[i]) < slot.kappa:
        return False
    seat_cut(i, rival, gap, slopes, 0, ZERO, arrays, rules)
    return True


@njit(**INNER)
def keep_left_behind(i, arrays, rules):
    """Make cuts of the gradients that a step leaves behind, where there are kinks."""
    slot, gap, slopes = arrays.slot[i], arrays.gap[i], arrays.slopes[i]
    near = slot.residual < rules.kept_within * slot.length
    if slot.cuts < rules.kept_from and not near:
        return
    for k in range(len(gap) - rules.cuts):
        if gap[k] < np.inf and arrays.multiplier[i, k] > 0:
            rival = arrays.classes[i, k]
            seat_cut(i, rival, gap[k], slopes, k, rules.trace, arrays, rules)
