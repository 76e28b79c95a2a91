"""Codes of one layer for several sparsities, dictionaries and rules of sparsity."""

from collections.abc import Sequence
from math import inf

import pandas as pd
from jaxtyping import Float
from torch import Tensor

from intriguing.sae.code import above, batch_top_k, least_of_batch, top_k
from intriguing.sae.measure import CodeSettings, Images, Layer
from intriguing.sae.quality import quality
from intriguing.stats.intervals import Interval, over_seeds
from intriguing.tables.rates import Cell
from intriguing.tables.tidy import Kinds

TOP_K, BATCH_TOP_K = "topk", "batch-topk"
COLUMNS = ("fvu", "dead", "active", "accuracy", "spliced")
KINDS: Kinds = {"active": "number"}


def sweep_rows(
    layer: Layer,
    activations: Float[Tensor, "n units"],
    test: Images,
    settings: CodeSettings,
    sparsities: Sequence[int],
    widths: Sequence[int],
    seed: int,
) -> list[dict[str, float | str]]:
    """Return the quality of codes with other sparsities, then with other widths.

    Args:
        layer: The layer.
        activations: Of the training images.
        test: Activations of the test images, and labels.
        settings: What is varied; those with another width have its sparsity.
        sparsities: Active latents of an image.
        widths: Latents, as multiples of the layer's units.
        seed: Of the codes.
    """
    varied = [(settings.width, k) for k in sparsities]
    varied += [(width, settings.k) for width in widths]
    rows = []
    for width, k in dict.fromkeys(varied):
        own = CodeSettings(width, k, settings.epochs)
        for name, keep in ((TOP_K, top_k(k)), (BATCH_TOP_K, batch_top_k(k))):
            code = own.fit(activations, seed, keep=keep)
            if name == BATCH_TOP_K:  # one image at a time has no batch
                code.keep = above(least_of_batch(code.scores(activations), k))
            active = (code.encode(test[0]) > 0).sum(1).float().mean()
            row = quality(code, layer.head, *test) | {"active": float(active)}
            rows.append(row | {"setting": f"{name}:width-{width}:k-{k}"})
    return rows


def sweep_cells(rows: pd.DataFrame) -> dict[Cell, Interval | None]:
    """Return one row a setting, from those of `sweep_rows` of all seeds."""
    cells = {}
    for setting, own in rows.groupby("setting", sort=False):
        for column in COLUMNS:
            found = over_seeds(own[column].tolist())
            cells[str(setting), column] = found and found.within(0, inf)
    return cells
