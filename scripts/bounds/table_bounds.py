"""Step: Lipschitz constants of whole networks, bounded from both sides."""

from intriguing.bounds.table import CONSTANT_KINDS, constant_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        networks = dict(
            zip(names, map(read_json, snakemake.input.measured), strict=True)
        )
        table = frame_of(constant_entries(networks))
        title = "Lipschitz constants of networks"
        write_table(table, snakemake.output.bounds, title, CONSTANT_KINDS)
