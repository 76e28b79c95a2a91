"""The quadratic relaxation of two units, as a picture."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from torch import nn

from intriguing.bounds.relaxed_curves import curves_of, monomials
from intriguing.bounds.two_units import (
    BALL,
    BIAS,
    WEIGHT,
    activations,
    intervals,
    least_by_crown,
    least_by_program,
    network_of,
    solved,
)
from intriguing.figures.style import GREEN, OURS, PAPER, QUIET, blank, styled

DIRECTIONS, NEARLY = 60, 1e-4
REACHED = "#a6cbe3"
TOUCHING = np.array([1.0, 0.6])
"""The weighted sum whose program gives the polynomial that is drawn."""


@styled()
def two_units_figure() -> Figure:
    """Return three panels: the ball, what methods allow, and a unit's polynomial."""
    figure = blank(7.2, 3.3)
    pixels, reached, curve = figure.subplots(1, 3)
    _draw_pixels(pixels)
    _draw_reached(reached)
    _draw_polynomial(curve)
    for axes in (pixels, reached, curve):
        axes.set_box_aspect(1)
        axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.22), handlelength=1.6)
    return figure


def _circle(count: int) -> Float[np.ndarray, "k 2"]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _draw_pixels(axes: Axes) -> None:
    ring = BALL.image + BALL.radius * _circle(300)
    axes.fill(*ring.T, color=OURS, alpha=0.2, label="the ball")
    axes.plot(*BALL.image, "o", color="black", ms=3, label="the image")
    along = np.linspace(0, 1, 2)
    for unit, style in enumerate(("-", "--")):
        one, two = WEIGHT[unit]
        axes.plot(
            along,
            (-BIAS[unit] - one * along) / two,
            color=QUIET,
            ls=style,
            lw=1.2,
            label=f"unit {unit + 1} turns on",
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="pixel 1", ylabel="pixel 2")
    axes.set_title("(a) images")


def _draw_reached(axes: Axes) -> None:
    edge = activations(nn.ReLU, BALL.image + BALL.radius * _circle(400))
    axes.fill(*edge.T, color=REACHED, label="what the images reach")
    directions = _circle(DIRECTIONS)
    for least, color, style, name in (
        (least_by_crown, PAPER, "--", "what CROWN allows"),
        (least_by_program, GREEN, "-", "what the program allows"),
    ):
        corners = outline(directions, least(nn.ReLU, directions))
        axes.plot(*corners.T, color=color, ls=style, lw=1.2, label=name)
    axes.set(xlabel="activation of unit 1", ylabel="activation of unit 2")
    axes.set_title("(b) two ReLU units")


def outline(
    directions: Float[np.ndarray, "k 2"], least: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "corners 2"]:
    """Return the corners of the plane's part where ``direction @ a >= least`` for all.

    They are returned as a closed line.
    """
    corners = []
    for i in range(len(directions)):
        for j in range(i):
            pair = directions[[j, i]]
            if abs(np.linalg.det(pair)) > 1e-9:
                corner = np.linalg.solve(pair, least[[j, i]])
                if (directions @ corner >= least - 1e-9).all():
                    corners.append(corner)
    found = np.array(corners)
    centre = found.mean(0)
    order = np.argsort(np.arctan2(*(found - centre).T[::-1]))
    return found[[*order, order[0]]]


def _draw_polynomial(axes: Axes) -> None:
    best = least_by_program(nn.Sigmoid, TOUCHING[None])[0]
    solution = solved(nn.Sigmoid, TOUCHING, best - NEARLY).solution
    coefficients = solution.point.dual[2:].reshape(-1, 6)[0]
    t, e = np.meshgrid(np.linspace(-1.15, 1.15, 200), np.linspace(-1.3, 1.3, 200))
    values = monomials(t, e) @ coefficients
    limits = [values.min(), 0.0]
    axes.contourf(t, e, values, limits, colors=[PAPER], alpha=0.25)
    axes.contour(t, e, values, [0.0], colors=[PAPER], linewidths=1.2)
    axes.fill([], [], fc=to_rgba(PAPER, 0.25), ec=PAPER, label="polynomial below zero")
    network = network_of(nn.Sigmoid)
    curves = curves_of(network, intervals(network))
    on_curve = curves.coordinates(curves.points())
    axes.plot(
        *(part[0] for part in on_curve),
        color="black",
        lw=1.4,
        label="curve of the unit",
    )
    axes.set(xlabel="place t in the interval", ylabel="distance e from the chord")
    axes.set_title("(c) a sigmoid unit")
