"""Vectors, sums and small matrices, compiled."""

import numpy as np

from intriguing.attack.compilation import kernel, loop_kernel, sum_kernel

ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)
INFINITE = np.float32(np.inf)


@loop_kernel
def dot(a, b):
    """Return the inner product of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@loop_kernel
def copy(a, b):
    """Write ``b`` to ``a``."""
    for j in range(len(a)):
        a[j] = b[j]


@kernel
def gather(a, places, values):
    """Write the values at some places to ``a``."""
    for j in range(len(places)):
        a[j] = values[places[j]]


@kernel
def where_positive(values, places):
    """List the places of positive values; return how many there are."""
    count = 0
    for k in range(len(values)):
        if values[k] > ZERO:
            places[count] = k
            count += 1
    return count


@loop_kernel
def add(a, factor, b):
    """Add ``factor * b`` to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[j]


@loop_kernel
def dot_row(a, b, k):
    """Return the inner product of a vector with row ``k`` of a matrix."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[k, j]
    return total


@loop_kernel
def add_row(a, factor, b, k):
    """Add ``factor`` times row ``k`` of a matrix to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[k, j]


@loop_kernel
def add_two_rows(a, factor, b, k, other, m):
    """Add multiples of rows ``k`` and ``m`` of a matrix to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[k, j] + other * b[m, j]


@sum_kernel
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


@loop_kernel
def dot_two_rows(a, b, k, m):
    """Return the inner products of a vector with rows ``k`` and ``m`` of a matrix."""
    one, other = ZERO, ZERO
    for j in range(len(a)):
        one += a[j] * b[k, j]
        other += a[j] * b[m, j]
    return one, other


@sum_kernel
def dot_rows(a, b, products):
    """Write the inner products of a vector with the first rows of a matrix."""
    even = len(products) - len(products) % 2
    for k in range(0, even, 2):
        products[k], products[k + 1] = dot_two_rows(a, b, k, k + 1)
    if even < len(products):
        products[even] = dot_row(a, b, even)


@loop_kernel
def distance(a, b):
    """Return the Euclidean distance of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += (a[j] - b[j]) * (a[j] - b[j])
    return np.sqrt(total)


@loop_kernel
def linear_change(gradient, a, b):
    """Return the change of a linear function on the way from ``a`` to ``b``."""
    total = ZERO
    for j in range(len(gradient)):
        total += gradient[j] * (b[j] - a[j])
    return total


@kernel
def lowest(values):
    """Return the place of the lowest value."""
    place = 0
    for k in range(1, len(values)):
        if values[k] < values[place]:
            place = k
    return place


@kernel
def fill(a, value):
    """Write one value everywhere."""
    for j in range(len(a)):
        a[j] = value


@kernel
def total(values):
    """Return the sum of some values, in their order."""
    result = ZERO
    for k in range(len(values)):
        result += values[k]
    return result


@kernel
def spread(values):
    """Return the largest value less the smallest."""
    least = greatest = values[0]
    for c in range(1, len(values)):
        least, greatest = min(least, values[c]), max(greatest, values[c])
    return greatest - least


@kernel
def sum_by_class(values, classes, sums):
    """Write the sums of the values of each class."""
    fill(sums, ZERO)
    for k in range(len(values)):
        sums[classes[k]] += values[k]


@loop_kernel
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


@loop_kernel
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


ROWS = 4
"""Rows of a product of small matrices that are computed at once: what is read from
memory serves them all. Every sum has one order, whatever the other rows are."""


@loop_kernel
def inner_products(a, b, c, d, weight, sums):
    """Write the inner products of four vectors with all rows of a weight."""
    last = len(weight) - 1
    for i in range(0, len(weight), ROWS):
        i1, i2, i3 = min(i + 1, last), min(i + 2, last), min(i + 3, last)
        aw = ax = ay = az = bw = bx = by = bz = ZERO
        cw = cx = cy = cz = dw = dx = dy = dz = ZERO
        for j in range(len(a)):
            w, x, y, z = weight[i, j], weight[i1, j], weight[i2, j], weight[i3, j]
            aw += a[j] * w
            ax += a[j] * x
            ay += a[j] * y
            az += a[j] * z
            bw += b[j] * w
            bx += b[j] * x
            by += b[j] * y
            bz += b[j] * z
            cw += c[j] * w
            cx += c[j] * x
            cy += c[j] * y
            cz += c[j] * z
            dw += d[j] * w
            dx += d[j] * x
            dy += d[j] * y
            dz += d[j] * z
        sums[0, i], sums[0, i1], sums[0, i2], sums[0, i3] = aw, ax, ay, az
        sums[1, i], sums[1, i1], sums[1, i2], sums[1, i3] = bw, bx, by, bz
        sums[2, i], sums[2, i1], sums[2, i2], sums[2, i3] = cw, cx, cy, cz
        sums[3, i], sums[3, i1], sums[3, i2], sums[3, i3] = dw, dx, dy, dz


@loop_kernel
def combinations(factors, weight, a, b, c, d):
    """Write four combinations of the rows of a weight, with these factors."""
    for j in range(len(a)):
        a[j] = b[j] = c[j] = d[j] = ZERO
    whole = len(weight) - len(weight) % ROWS
    for i in range(0, whole, ROWS):
        i1, i2, i3 = i + 1, i + 2, i + 3
        aw, ax, ay, az = (
            factors[0, i],
            factors[0, i + 1],
            factors[0, i + 2],
            factors[0, i + 3],
        )
        bw, bx, by, bz = (
            factors[1, i],
            factors[1, i + 1],
            factors[1, i + 2],
            factors[1, i + 3],
        )
        cw, cx, cy, cz = (
            factors[2, i],
            factors[2, i + 1],
            factors[2, i + 2],
            factors[2, i + 3],
        )
        dw, dx, dy, dz = (
            factors[3, i],
            factors[3, i + 1],
            factors[3, i + 2],
            factors[3, i + 3],
        )
        for j in range(len(a)):
            w, x, y, z = weight[i, j], weight[i1, j], weight[i2, j], weight[i3, j]
            a[j] += aw * w + ax * x + ay * y + az * z
            b[j] += bw * w + bx * x + by * y + bz * z
            c[j] += cw * w + cx * x + cy * y + cz * z
            d[j] += dw * w + dx * x + dy * y + dz * z
    for i in range(whole, len(weight)):
        aw, bw, cw, dw = factors[0, i], factors[1, i], factors[2, i], factors[3, i]
        for j in range(len(a)):
            a[j] += aw * weight[i, j]
            b[j] += bw * weight[i, j]
            c[j] += cw * weight[i, j]
            d[j] += dw * weight[i, j]
