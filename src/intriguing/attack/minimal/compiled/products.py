"""Products of small matrices, four rows at a time.

What is read from memory serves four rows. Every sum is taken in one order, whatever the
other rows are.
"""

from intriguing.attack.compilation import sum_kernel
from intriguing.attack.vectors import ZERO

ROWS = 4


@sum_kernel
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


@sum_kernel
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
