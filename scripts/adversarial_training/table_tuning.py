"""Step: errors of every setting tried, on images held out of training."""

from intriguing.tables.rates import error_rate
from intriguing.tables.tidy import own_table
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    names = snakemake.params.settings["names"]
    with step_log(snakemake, threads=None):
        found = zip(names, map(read_json, snakemake.input.errors), strict=True)
        cells = {
            (name, f"{images}-error"): error_rate([counts])
            for name, errors in found
            for images, counts in errors.items()
        }
        title = "Settings tried, on held-out images"
        write_table(own_table(cells), snakemake.output.tuning, title)
