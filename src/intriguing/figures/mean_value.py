"""From the Jacobian to the bound of section 4.3, on a network of two inputs."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.integrate import cumulative_trapezoid

from intriguing.figures.style import GREEN, OURS, PAPER, QUIET, Look, blank, styled
from intriguing.spectra.two_layers import (
    CLEAN,
    FIRST,
    PERTURBATION,
    SECOND,
    jacobians,
    operator_norm,
    outputs,
    product_bound,
    segment,
)

POINTS = 400
PRODUCT: Look = {"color": PAPER, "ls": "--", "lw": 1.2}
JACOBIAN: Look = {"color": OURS, "lw": 2.6}
CHANGE: Look = {"color": "black", "lw": 1.2}
HIGHEST: Look = {"color": GREEN, "ls": "-.", "lw": 1.2}
LAYER: Look = {"color": QUIET, "lw": 1}


@styled()
def mean_value_figure() -> Figure:
    """Return three panels: ellipses, the Jacobian along a segment, and the bounds."""
    figure = blank(7.2, 3.4)
    ellipses, norms, bounds = figure.subplots(1, 3)
    _draw_ellipses(ellipses)
    times = np.linspace(0, 1, POINTS)
    _draw_norms(norms, times)
    _draw_bounds(bounds, times)
    for axes in (ellipses, norms, bounds):
        axes.set_box_aspect(1)
        axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.22), handlelength=1.6)
    return figure


def _draw_ellipses(axes: Axes) -> None:
    angles = np.linspace(0, 2 * np.pi, POINTS)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    radius = product_bound()
    axes.plot(*(radius * circle), label="all that the product allows", **PRODUCT)
    both = SECOND @ FIRST
    axes.plot(*(both @ circle), label="both layers, tanh left out", **LAYER)
    axes.plot(*(jacobians(CLEAN) @ circle), label="Jacobian at x", **JACOBIAN)
    axes.plot(*circle, label="unit circle", color="black", lw=0.8, ls=":")
    axes.set(xlabel="output 1", ylabel="output 2")
    axes.set_title("(a) images of the unit circle")


def _draw_norms(axes: Axes, times: Float[np.ndarray, " n"]) -> None:
    along = jacobians(segment(times))
    norms = operator_norm(along)
    direction = PERTURBATION / np.linalg.norm(PERTURBATION)
    speed = np.linalg.norm(along @ direction, axis=-1)
    axes.axhline(product_bound(), label="product of the norms", **PRODUCT)
    axes.axhline(norms.max(), label="largest on the segment", **HIGHEST)
    axes.plot(times, norms, label="‖J(x + t·r)‖", **JACOBIAN)
    axes.plot(times, speed, label="‖J(x + t·r)·r‖ / ‖r‖", **CHANGE)
    axes.set(xlim=(0, 1), ylim=(0, None), xlabel="t", ylabel="factor on lengths")
    axes.set_title("(b) along x + t·r")


def _draw_bounds(axes: Axes, times: Float[np.ndarray, " n"]) -> None:
    points = segment(times)
    norms, length = operator_norm(jacobians(points)), np.linalg.norm(PERTURBATION)
    lengths = times * length
    change = np.linalg.norm(outputs(points) - outputs(CLEAN), axis=-1)
    integral = cumulative_trapezoid(norms, lengths, initial=0)
    highest = np.maximum.accumulate(norms) * lengths
    axes.plot(lengths, product_bound() * lengths, label="product · ‖r‖", **PRODUCT)
    axes.plot(lengths, highest, label="largest ‖J‖ · ‖r‖", **HIGHEST)
    axes.plot(lengths, integral, label="integral of ‖J‖", **JACOBIAN)
    axes.plot(lengths, change, label="‖f(x + r) - f(x)‖", **CHANGE)
    axes.set(xlim=(0, length), ylim=(0, None), xlabel="‖r‖", ylabel="change of f")
    axes.set_title("(c) change and its bounds")
