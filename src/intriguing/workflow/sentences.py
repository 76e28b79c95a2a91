"""Answers in one or two sentences, with numbers from the files of a run."""

import csv
import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import pandas as pd

from intriguing.smoothness.design import GROUPS, LEVELS
from intriguing.stats.equivalence import MARGIN
from intriguing.tables.differences import INFERRED
from intriguing.workflow.config import RunConfig
from intriguing.workflow.markdown import markdown_table

Cells = dict[tuple[str, str], dict[str, str]]
"""Lines of a table's CSV file by row and column."""
MISSING = "`{path}` does not exist yet; `{target}` makes it.\n"
PENALTIES = {
    "product": "the product of norms",
    "spectral": "norms that are held equal",
    "eclipse": "ECLipsE-Fast",
}
LAYER = "FC100-100-10:2"
"""The layer that answers speak of: the last hidden one of the paper's network."""


def from_table(
    name: str, target: str = "make everything"
) -> Callable[[Callable[[Cells], str]], Callable[[Path], str]]:
    """Give an answer the cells of a run's table, or name the command that makes it."""

    def reading(say: Callable[[Cells], str]) -> Callable[[Path], str]:
        @wraps(say)
        def answer(results: Path) -> str:
            path = results / "tables" / f"{name}.csv"
            if not path.is_file():
                return MISSING.format(path=path, target=target)
            return say(_table(path))

        return answer

    return reading


def units_answer(results: Path) -> str:
    """Return what the natural basis is, and whether its units are special."""
    path = results / "claims" / "units.json"
    if not path.is_file():
        return MISSING.format(path=path, target="make everything")
    basis, distinction = json.loads(path.read_text(encoding="utf-8"))
    gain, low, high = (20 * basis[key] for key in ("measured", "low", "high"))
    table = _table(results / "tables" / "units.csv")
    layers = (f"FC100-100-10:{layer}" for layer in (1, 2))
    first, last = (_number(table[one, "gain-kurtosis"], ".2f") for one in layers)
    return (
        "The natural basis of a layer is its units, the coordinates in which the "
        "nonlinearity acts. On average over the networks, of the 20 images that a unit "
        f"ranks first, {abs(gain):.2f} {'more' if gain > 0 else 'fewer'} show its most "
        f"frequent digit than for a random direction (difference {gain:+.2f} "
        f"[{low:+.2f}, {high:+.2f}]). Less than one image counts as no better, so the "
        "verdict on the paper's sentence that the natural basis is not better is "
        f"**{basis['verdict']}**. The verdict on its stronger sentence, that nothing "
        f"distinguishes units from random directions, is **{distinction['verdict']}**. "
        f"The excess kurtosis of their activations differs by {first} in the first "
        f"hidden layer of FC100-100-10 and by {last} in the second.\n"
    )


@from_table("units")
def units_controls(table: Cells) -> str:
    """Return where the advantage in kurtosis lies in the networks that are controls."""
    rotated, isotropic, plain = (
        f"{name}100-100-10:2" for name in ("rotated-ReLU", "isotropic-tanh", "ReLU")
    )
    rows = (f"{rotated}:rotated", rotated, isotropic, plain, f"{plain}:untrained")
    gains = [_number(table[row, "gain-kurtosis"], ".2f") for row in rows]
    return (
        "Excess kurtosis in the second hidden layer, less that of random rotations: "
        f"with a rotated nonlinearity {gains[0]} along the rows of Q and {gains[1]} "
        f"along the coordinates; with an isotropic nonlinearity {gains[2]}; of ReLU "
        f"units {gains[3]} after training and {gains[4]} before.\n"
    )


@from_table("sae-perturbations")
def sae_answer(table: Cells) -> str:
    """Return what a minimal perturbation is made of, seen through a sparse code."""

    def both(column: str, form: str) -> list[str]:
        rows = (f"{LAYER}:{name}" for name in ("adversarial", "natural"))
        return [_number(table[row, column], form) for row in rows]

    switched, other = both("switched", ".1f")
    missed, natural = both("uncarried", ".1%")
    size, natural_size = both("uncarried-size", ".1%")
    above, natural_above = both("above-random", ".1%")
    return (
        f"A minimal perturbation r switches {switched} latents of a sparse code of the "
        "last hidden layer of FC100-100-10 on or off; a step of the same length "
        f"towards an image of the target class switches {other}. The code does not "
        f"carry {missed} of what r does to the margin on average, against {natural} "
        "for that step. The size of the part that it does not carry, image by image, "
        f"is {size} against {natural_size}. Overlaps between latents predict how r "
        f"moves inactive ones better than for {above} of random directions, and for "
        f"{natural_above} with the natural step.\n"
    )


@from_table("superposition")
def superposition_answer(table: Cells) -> str:
    """Return what adversarial training does to superposition, by width."""
    widths = [int(row.partition(":")[0]) for row, _ in table if row.endswith(":change")]
    ends = dict.fromkeys((min(widths), max(widths)))
    said = [
        f"{_number(table[f'{width}:change', 'fvu-2 ratio'], '.2f')} and "
        f"{_number(table[f'{width}:change', 'features-2 ratio'], '.2f')} "
        f"for {width} units"
        for width in ends
    ]
    return (
        "Adversarial training multiplies the loss of a sparse code of the last hidden "
        f"layer and the number of its effective features by {', by '.join(said)} a "
        "layer.\n"
    )


def bounds_answer(results: Path) -> str:
    """Return how much better bounds than the product of the norms are."""
    paths = [results / "tables" / f"{name}.csv" for name in ("bounds", "certified")]
    for path in paths:
        if not path.is_file():
            return MISSING.format(path=path, target="make everything")
    tables = [pd.read_csv(path).pivot(index="row", columns="column") for path in paths]
    constants, shares = (table["value"] for table in tables)
    known = constants.index.intersection(shares.index)
    names = [name for name in ("FC100-100-10", "ReLU100-100-10") if name in known]
    better = (shares.loc[names, "mean"] > shares.loc[names, "product"]).all()
    return f"One can{'' if better else 'not'} do better than the product.\n" + "".join(
        f"For {name} the product is {constants.loc[name, 'product']:.0f}, and LipSDP "
        f"proves {constants.loc[name, 'lipsdp']:.0f}; gradients of test images reach "
        f"{constants.loc[name, 'data']:.0f}. On average the product certifies "
        f"{shares.loc[name, 'product']:.2f} of the distance at which an attack "
        f"succeeds, and the best method here {shares.loc[name, 'mean']:.3f}.\n"
        for name in names
    )


@from_table("depth")
def depth_answer(table: Cells) -> str:
    """Return by what a hidden layer more multiplies each bound."""
    factors = {
        name: _number(table["per layer", name], ".2f")
        for name in ("product", "lipsdp", "box", "median")
    }
    return (
        "With each hidden layer of a ReLU network the product of the norms grows by a "
        f"factor {factors['product']}, LipSDP's bound by {factors['lipsdp']}, the "
        f"steepest gradient found in the box by {factors['box']}, and the median "
        f"gradient at test images by {factors['median']}.\n"
    )


@from_table("compact-proofs")
def compact_answer(table: Cells) -> str:
    """Return whether the noise of low-rank parts compounds with depth."""
    column = "per layer / LipSDP"
    ranks = [row for row, name in table if name == column and row.startswith("rank ")]
    factors = [_number(table[row, column], ".2f") for row in (ranks[0], ranks[-1])]
    high = [table[row, column]["high"] or table[row, column]["value"] for row in ranks]
    exact = table["liplt", column]["low"] or table["liplt", column]["value"]
    falls = max(map(float, high)) < float(exact)
    verb = "compounds" if falls else "need not compound"
    return (
        f"The noise of low-rank parts {verb} with depth: with each hidden layer of a "
        f"ReLU network the bound from parts of {ranks[0]} keeps {factors[0]} of its "
        f"tightness beside that of LipSDP, and the bound from parts of {ranks[-1]} "
        f"{factors[1]}. LipLT, which leaves no residual, keeps "
        f"{_number(table['liplt', column], '.2f')}.\n"
    )


@from_table("heuristics")
def heuristics_answer(table: Cells) -> str:
    """Return what the presumption of independence predicts, and what it misses."""
    name = "FC100-100-10"

    def share(row: str, column: str) -> str:
        return _number(table[row, column], ".2f")

    return (
        f"For {name}, moments of the images and the presumption that layers are "
        f"independent predict {share(name, 'classes')} of the mean squared norm of the "
        "gradient. A further presumption, that the matrices have no common directions, "
        f"leaves {share(name, 'uncorrelated')} of it after training, and "
        f"{share(f'{name} untrained', 'uncorrelated')} before: training aligns the "
        "layers.\n"
    )


@from_table("penalties")
def penalties_answer(table: Cells) -> str:
    """Return whether training with a penalty on a bound beats weight decay."""
    ratios = {
        name: float(table[name, "distance over decay"]["value"])
        for name in PENALTIES
        if (name, "distance over decay") in table
    }
    best = max(ratios, key=ratios.__getitem__)
    ratio = _number(table[best, "distance over decay"], ".2f")
    proved = _number(table[best, "certified over decay"], ".2f")
    return (
        "At equal test error, the best penalty on a bound of the whole network, on "
        f"{PENALTIES[best]}, gives {ratio} times the distance to the nearest "
        f"adversarial image that weight decay gives, and {proved} times its certified "
        "distance.\n"
    )


def equivalence_rule() -> str:
    """Return the rule for the paper's numbers, with its margin."""
    return (
        f"A printed number is **reproduced within the margin** (=) if the whole 95 % "
        f"interval of the ratio of our number to it lies between 1/{MARGIN} and "
        f"{MARGIN}. It **differs** (≠) if the whole interval lies outside. It is "
        "**undecided** (~) otherwise. The interval includes the rounding of the "
        "printed number and the sampling error of the paper, for attacked images that "
        f"of {INFERRED} images.\n"
    )


@from_table("readings", "make paper")
def readings_answer(table: Cells) -> str:
    """Return how much of the posterior pooled averages have, and the best reading."""
    shares = {
        r: float(c["value"]) for (r, name), c in table.items() if name == "posterior"
    }
    pooled = sum(share for row, share in shares.items() if row.endswith(":pooled"))
    best = max(shares, key=shares.__getitem__)
    return (
        "Among the readings below, those that pool the distortions over all pixels "
        f"have {pooled:.0%} of the posterior probability. The best is `{best}`: its "
        "distortions differ from the printed ones by "
        f"{_number(table[best, 'judged'], '.1%')} in root mean square for the linear "
        f"networks, and by {_number(table[best, 'held-out'], '.1%')} for the others, "
        "which did not judge.\n"
    )


@from_table("natural", "make natural")
def natural_answer(table: Cells) -> str:
    """Return how far photographs are from their adversarial images."""
    column = "distortion-fixed"
    first = next(row for row, name in table if name == column)
    distortion = _number(table[first, column], ".2g")
    rounded = _number(table[first, "rounded-fixed"], ".1%")
    return (
        f"For {first} the mean distortion of adversarial photographs is {distortion}; "
        f"the paper has {table[first, column]['published']} for AlexNet. After "
        f"rounding to 8 bits {rounded} of them still reach their target class.\n"
    )


def smoothness_design() -> str:
    """Return the factors of the designed experiment and their levels."""
    extremes = RunConfig().smoothness.extremes
    levels = {"images": [f"{share:.0%} of MNIST" for share in extremes], **LEVELS}
    rows = (
        (group, f"`{factor}`", *levels[factor])
        for group, factors in GROUPS.items()
        for factor in factors
    )
    return markdown_table(("group", "factor", "low", "high"), rows)


SUMMARIES: dict[str, Callable[[Path], str]] = {
    "units-answer": units_answer,
    "sae-answer": sae_answer,
    "superposition-answer": superposition_answer,
    "bounds-answer": bounds_answer,
    "depth-answer": depth_answer,
    "compact-answer": compact_answer,
    "heuristics-answer": heuristics_answer,
    "penalties-answer": penalties_answer,
    "natural-answer": natural_answer,
}
"""Answers to the questions of ``docs/answers.md``, by the name of their block there."""


def _table(path: Path) -> Cells:
    with path.open(encoding="utf-8", newline="") as file:
        return {(one["row"], one["column"]): one for one in csv.DictReader(file)}


def _number(cell: dict[str, str], form: str) -> str:
    """Return value and interval of a cell; one seed has no interval."""
    known = [cell[key] for key in ("value", "low", "high") if cell[key]]
    value, *ends = (format(float(text), form) for text in known)
    return f"{value} [{', '.join(ends)}]" if ends else value
