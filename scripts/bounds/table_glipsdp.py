"""Step: Lipschitz bounds of GLipSDP's networks, ours beside the published ones."""

from intriguing.bounds.benchmark import reference_entries
from intriguing.tables.tidy import Kinds, frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table
from intriguing.workflow.verification import read_verification

KINDS: Kinds = dict.fromkeys(("product", "liplt", "lipsdp", "lower"), "number")

if __name__ == "__main__":
    settings = snakemake.params.settings
    with step_log(snakemake, threads=settings["threads"]):
        weights, reference = map(read_verification, settings["files"])
        table = frame_of(reference_entries(weights, reference))
        place = snakemake.output.benchmark_glipsdp
        write_table(table, place, "Networks of GLipSDP", KINDS)
