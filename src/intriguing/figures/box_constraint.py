"""Box-constrained L-BFGS on an image of two pixels."""

from collections.abc import Callable
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intriguing.attack import two_pixels
from intriguing.attack.two_pixels import CLEAN, ITERATE, margin
from intriguing.figures.style import GREEN, OURS, PAPER, QUIET, Look, blank, styled

AREA = (-0.34, 1.04)
"""Range of the drawn values of both pixels."""
GRID = 300
WEIGHTS = np.geomspace(0.5, 40, 60)
POINT: Look = {"ls": "", "mec": "white", "mew": 0.6, "ms": 7, "zorder": 5}
CLEAN_IMAGE: Look = {**POINT, "marker": "o", "color": "black"}
CONSTRAINED: Look = {**POINT, "marker": "D", "color": OURS}
UNCONSTRAINED: Look = {**POINT, "marker": "s", "color": PAPER}
CLIPPED: Look = {**POINT, "marker": "X", "color": PAPER, "ms": 8}
FREE_MINIMISER: Look = {**CONSTRAINED, "mfc": "white", "mec": OURS, "mew": 1.2}
SUCCESS: Look = {"ls": "", "marker": ".", "color": OURS, "label": "adversarial"}
FAILURE: Look = {**SUCCESS, "marker": "o", "color": PAPER, "mfc": "none", "ms": 4}
FAILURE |= {"label": "not adversarial"}
BEST: Look = {"color": "black", "lw": 0.8, "ls": "--"}
CAUCHY: Look = {**POINT, "marker": "^", "color": GREEN, "ms": 8}


@styled()
def box_constraint_figure() -> Figure:
    """Return three panels: the problem, one iteration, and the search of the weight."""
    weight = two_pixels.largest_adversarial_weight()
    figure = blank(7.2, 3.15)
    problem, iteration, search = figure.subplots(1, 3)
    _draw_problem(problem, weight)
    _draw_iteration(iteration, weight)
    _draw_search(search, weight)
    return figure


def _draw_problem(axes: Axes, weight: float) -> None:
    path = two_pixels.iterates(weight)
    _draw_box(axes, partial(two_pixels.objective, weight=weight), path[-1])
    free = two_pixels.iterates(weight, box=False)[-1]
    axes.plot(*path.T, "-", color=OURS, lw=1, label="iterates")
    axes.plot(*path[1:-1].T, ".", color=OURS, ms=4)
    axes.annotate("", np.clip(free, 0, 1), free, arrowprops={"arrowstyle": "->"})
    axes.plot(*CLEAN, label="clean image", **CLEAN_IMAGE)
    axes.plot(*path[-1], label="minimiser in the box", **CONSTRAINED)
    axes.plot(*free, label="minimiser without the box", **UNCONSTRAINED)
    axes.plot(*np.clip(free, 0, 1), label="the same, clipped", **CLIPPED)
    axes.set_title("(a) the box decides")
    _legend(axes)


def _draw_iteration(axes: Axes, weight: float) -> None:
    parts = two_pixels.iteration(ITERATE, weight)
    model = partial(two_pixels.model, start=ITERATE, weight=weight)
    _draw_box(axes, model, parts.end)
    axes.plot(*parts.path.T, "-", color=GREEN, lw=1.5, label="projected descent")
    axes.plot(*ITERATE, label="iterate", **CLEAN_IMAGE)
    axes.plot(*parts.cauchy, label="Cauchy point", **CAUCHY)
    axes.plot(*parts.end, label="minimiser over the free pixel", **FREE_MINIMISER)
    axes.set_title("(b) one iteration")
    _legend(axes)


def _draw_search(axes: Axes, best: float) -> None:
    ends = np.array([two_pixels.iterates(weight)[-1] for weight in WEIGHTS])
    lengths, reached = np.linalg.norm(ends - CLEAN, axis=1), margin(ends) > 0
    axes.plot(WEIGHTS, lengths, "-", color=QUIET, lw=0.8)
    axes.plot(WEIGHTS[reached], lengths[reached], **SUCCESS)
    axes.plot(WEIGHTS[~reached], lengths[~reached], **FAILURE)
    axes.axvline(best, label="largest weight that succeeds", **BEST)
    axes.set(xscale="log", xlabel="weight c of ‖r‖²", ylabel="‖r‖")
    axes.set_title("(c) search of the weight")
    axes.set_box_aspect(1.08 / 1.38)
    _legend(axes)


def _draw_box(
    axes: Axes, function: Callable[..., np.ndarray], least: two_pixels.Point
) -> None:
    """Draw the box, level curves of a function with a least point, and the boundary."""
    values = np.linspace(*AREA, GRID)
    points = np.stack(np.meshgrid(values, values), axis=-1)
    levels = function(least) + np.array([0, 0.15, 0.5, 1.2, 2.5, 5])
    look: Look = {"colors": "#bbbbbb", "linewidths": 0.6, "linestyles": "solid"}
    axes.contour(values, values, function(points), levels, **look)
    axes.contourf(values, values, margin(points), [0, np.inf], colors=["#f3e3c3"])
    axes.contour(values, values, margin(points), [0], colors="black", linewidths=1)
    axes.plot([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], "-", color="black", lw=1.6)
    axes.text(0.98, 0.98, "adversarial", ha="right", va="top", size=7)
    axes.set(aspect="equal", xlim=AREA, ylim=(-0.04, 1.04))
    axes.set(xlabel="pixel 1", ylabel="pixel 2", xticks=[0, 1], yticks=[0, 1])


def _legend(axes: Axes) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(-0.05, -0.28), handletextpad=0.4)
