"""Step: effect of the choices that the paper leaves open on the mean distortion."""

import pandas as pd

from intriguing.tables.rates import distortion_cell, distortions
from intriguing.tables.tidy import Kinds, tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

Records = dict[tuple[str, str], list[pd.DataFrame]]
"""Records of each seed, by attack and network."""


def run(
    records: Records, reference: str, sample: int, published: pd.DataFrame
) -> tuple[pd.DataFrame, Kinds]:
    """Return the tidy table ``choices``: a row a choice, a column a network; its kinds.

    All rows but ``all-images`` are of the same images of the first seed. A choice tried
    on some networks only leaves the others' cells empty.

    Args:
        records: Records of all attacks.
        reference: Name of the attack with our own choices.
        sample: Images of the paper's own sample.
        published: The paper's numbers.
    """
    models = dict.fromkeys(model for _, model in records)
    choices: Records = {}
    for model in models:
        own = records[reference, model]
        first = own[0][:sample]
        right = first[first["clean_prediction"] == first["label"]]
        choices[reference, model] = [first]
        choices["correct-only", model] = [right]
        choices["all-images", model] = own
    choices |= {c: found for c, found in records.items() if c[0] != reference}
    cells, spreads = {}, {}
    for cell, found in choices.items():
        mean, spread = distortion_cell(cell, distortions(found))
        cells, spreads = cells | mean, spreads | spread
    paper = published.query("table == 'models' and column == 'distortion'")
    paper = paper.assign(table="choices", column=paper["row"])
    beside = [paper.assign(row=row) for row in dict.fromkeys(row for row, _ in cells)]
    kinds: Kinds = dict.fromkeys(models, "distortion")
    return tidy(cells, pd.concat(beside), "choices", spreads, kinds), kinds


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        records: Records = {}
        for job, path in zip(settings["jobs"], files.records, strict=True):
            attack, model, _ = job
            records.setdefault((attack, model), []).append(pd.read_parquet(path))
        published = read_published(files.published)
        choice = settings["reference"], settings["sample"]
        table, kinds = run(records, *choice, published)
        output, title = snakemake.output.choices, "Open choices: distortion"
        write_table(table, output, title, kinds)
