"""Step: certified and attacked distances of test images of one network."""

from intriguing.bounds.certificates import save_certificates
from intriguing.bounds.records import Bounded, certified_records
from intriguing.models.files import load_model
from intriguing.workflow.files import replacing, write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images


def run(weights: str, test: Images, count: int) -> Bounded:
    """Return records and certificates of the first test images.

    Args:
        weights: File of the network.
        test: Test images and labels.
        count: How many; those that the network misclassifies are left out.
    """
    images, labels = test
    return certified_records(load_model(weights), images[:count], labels[:count])


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        found = run(files.weights, read_images(files.test), settings["images"])
        write_parquet(snakemake.output.records, found.records)
        with replacing(snakemake.output.certificates) as temporary:
            save_certificates(temporary, found.certificates)
