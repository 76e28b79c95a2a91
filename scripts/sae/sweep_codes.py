"""Step: the table ``sae-settings``, codes of one layer by sparsity and dictionary."""

from collections.abc import Sequence

import pandas as pd

from intriguing.models.files import load_model
from intriguing.sae.measure import CodeSettings, layers_of
from intriguing.sae.sweep import KINDS, sweep_cells, sweep_rows
from intriguing.tables.tidy import own_table
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tabling import write_table
from intriguing.workflow.tensors import Images, read_images


def run(
    settings: dict, weights: Sequence[str], train: Images, test: Images
) -> pd.DataFrame:
    """Return the quality of all codes of the last hidden layer, for all networks.

    Args:
        settings: Of the ``code``; ``sparsities`` and ``widths``; the ``seeds``.
        weights: The network of each seed.
        train: Training images and labels.
        test: Test images and labels.
    """
    rows = []
    pairs = list(zip(settings["seeds"], weights, strict=True))
    for seed, path in progress(pairs, "codes"):
        *_, layer = layers_of(load_model(path))
        known, tested = layer.encoder(train[0]), (layer.encoder(test[0]), test[1])
        code = CodeSettings(**settings["code"])
        how = code, settings["sparsities"], settings["widths"], seed
        rows += sweep_rows(layer, known, tested, *how)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seeds"][0], settings["threads"]):
        sets = read_images(files.train), read_images(files.test)
        rows = run(settings, files.weights, *sets)
        table = own_table(sweep_cells(rows))
        title = "Sparse codes by sparsity and dictionary"
        write_table(table, snakemake.output.sae_settings, title, KINDS)
