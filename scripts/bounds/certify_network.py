"""Step: certified and attacked distances of test images of one network."""

from intriguing.bounds.certificates import save_certificates
from intriguing.bounds.records import certified_records
from intriguing.models.files import load_model
from intriguing.workflow.files import replacing, write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import read_images

if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        first = [rows[: settings["images"]] for rows in read_images(files.test)]
        found = certified_records(load_model(files.weights), *first)
        write_parquet(snakemake.output.records, found.records)
        with replacing(snakemake.output.certificates) as temporary:
            save_certificates(temporary, found.certificates)
