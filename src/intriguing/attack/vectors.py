"""Vectors, sums and small matrices, and the options under which all is compiled."""

import numpy as np
from numba import config, njit
from numba.core.codegen import get_host_cpu_features


def use_widest_registers() -> None:
    """Let compiled functions use vector registers of 512 bits, where there are any.

    LLVM keeps to 256 on most Intel processors, as the first with AVX-512 slowed down
    where it was used now and then. Numba has no such option of a single function: it
    holds for the process. What a user has set in NUMBA_CPU_FEATURES stays.
    """
    features = get_host_cpu_features()
    if config.CPU_FEATURES is None and "+avx512f" in features:
        config.CPU_FEATURES = f"{features},-prefer-256-bit"


use_widest_registers()

SUMS = {"reassoc", "contract", "nsz", "arcp"}
"""Let sums be reordered, so that they run on vector registers; NaN stays NaN."""

ALL = {"cache": True, "error_model": "numpy", "_nrt": False}
"""Options of all functions. Without numba's runtime they can't make arrays, nor count
references to them (`space`)."""
INNER = ALL | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of functions that only compiled ones call; without the wrappers they compile
in less time."""
ENTRY = ALL | {"nogil": True}
"""Options of functions that Python calls."""

ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)
INFINITE = np.float32(np.inf)


@njit(fastmath=SUMS, **INNER)
def dot(a, b):
    """Return the inner product of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(**INNER)
def copy(a, b):
    """Write ``b`` to ``a``."""
    for j in range(len(a)):
        a[j] = b[j]


@njit(**INNER)
def gather(a, places, values):
    """Write the values at some places to ``a``."""
    for j in range(len(places)):
        a[j] = values[places[j]]


@njit(**INNER)
def where_positive(values, places):
    """List the places of positive values; return how many there are."""
    count = 0
    for k in range(len(values)):
        if values[k] > ZERO:
            places[count] = k
            count += 1
    return count


@njit(fastmath=SUMS, **INNER)
def add(a, factor, b):
    """Add ``factor * b`` to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[j]


@njit(fastmath=SUMS, **INNER)
def dot_row(a, b, k):
    """Return the inner product of a vector with row ``k`` of a matrix.

    To take the row out first would cost a count of references, a good part of this.
    """
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[k, j]
    return total


@njit(fastmath=SUMS, **INNER)
def add_row(a, factor, b, k):
    """Add ``factor`` times row ``k`` of a matrix to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[k, j]


@njit(fastmath=SUMS, **INNER)
def add_two_rows(a, factor, b, k, other, m):
    """Add multiples of rows ``k`` and ``m`` of a matrix to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[k, j] + other * b[m, j]


@njit(fastmath=SUMS, **INNER)
def add_rows(a, factors, b):
    """Add multiples of the first rows of a matrix to ``a``, two rows in one pass."""
    waiting = -1
    for k in range(len(factors)):
        if factors[k] == 0:
            continue
        if waiting < 0:
            waiting = k
        else:
            add_two_rows(a, factors[waiting], b, waiting, factors[k], k)
            waiting = -1
    if waiting >= 0:
        add_row(a, factors[waiting], b, waiting)


@njit(fastmath=SUMS, **INNER)
def dot_two_rows(a, b, k, m):
    """Return the inner products of a vector with rows ``k`` and ``m`` of a matrix."""
    one, other = ZERO, ZERO
    for j in range(len(a)):
        one += a[j] * b[k, j]
        other += a[j] * b[m, j]
    return one, other


@njit(fastmath=SUMS, **INNER)
def dot_rows(a, b, products):
    """Write the inner products of a vector with the first rows of a matrix."""
    even = len(products) - len(products) % 2
    for k in range(0, even, 2):
        products[k], products[k + 1] = dot_two_rows(a, b, k, k + 1)
    if even < len(products):
        products[even] = dot_row(a, b, even)


@njit(fastmath=SUMS, **INNER)
def distance(a, b):
    """Return the Euclidean distance of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += (a[j] - b[j]) * (a[j] - b[j])
    return np.sqrt(total)


@njit(fastmath=SUMS, **INNER)
def gain(slope, a, b):
    """Return what a gradient promises on the way from ``a`` to ``b``."""
    total = ZERO
    for j in range(len(slope)):
        total += slope[j] * (b[j] - a[j])
    return total


@njit(**INNER)
def lowest(values):
    """Return the place of the lowest value."""
    place = 0
    for k in range(1, len(values)):
        if values[k] < values[place]:
            place = k
    return place


@njit(**INNER)
def by_class(values, seats, sums):
    """Write the sums over the seats of each class."""
    for c in range(len(sums)):
        sums[c] = ZERO
    for k in range(len(values)):
        sums[seats[k]] += values[k]


@njit(fastmath=SUMS, **INNER)
def factorise(gram, size):
    """Replace the lower triangle by Cholesky's factor; say whether there is one."""
    for i in range(size):
        for j in range(i + 1):
            total = gram[i, j]
            for k in range(j):
                total -= gram[i, k] * gram[j, k]
            if i > j:
                gram[i, j] = total / gram[j, j]
            elif total <= 0:
                return False
            else:
                gram[i, i] = np.sqrt(total)
    return True


@njit(fastmath=SUMS, **INNER)
def substitute(factor, right, size):
    """Solve in place with Cholesky's factor."""
    for i in range(size):
        for k in range(i):
            right[i] -= factor[i, k] * right[k]
        right[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            right[i] -= factor[k, i] * right[k]
        right[i] /= factor[i, i]
