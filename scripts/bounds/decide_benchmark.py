"""Step: decide the images of the benchmark of SDP-CROWN, and check all certificates."""

import logging
import time

import pandas as pd

from intriguing.bounds import certify, verify
from intriguing.bounds.benchmark import benchmark_data
from intriguing.bounds.certificates import Certificates, save_certificates
from intriguing.workflow.files import replacing, write_json, write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.verification import read_verification

RADIUS = 1.0


def run(
    weights: bytes, images: bytes, log: logging.Logger
) -> tuple[pd.DataFrame, Certificates, float]:
    """Return the status of each image, the certificates, and the processor's seconds.

    Args:
        weights: The network's file.
        images: The images' file.
        log: Is told the seconds.
    """
    model, pixels, labels = benchmark_data(weights, images)
    started = time.process_time()
    found = certify(model, pixels, labels, RADIUS)
    decided = time.process_time() - started
    proved = verify(model, pixels, labels, found.certificate)
    total = time.process_time() - started
    log.info(
        "%.1f s of the processor, %.1f s of them for the check", total, total - decided
    )
    columns = {"label": labels.numpy(), "status": found.status, "proved": proved}
    records = pd.DataFrame({**columns, "on_ball": found.on_ball})
    return records, found.certificate, total


if __name__ == "__main__":
    settings, output = snakemake.params.settings, snakemake.output
    with step_log(snakemake, threads=settings["threads"]) as log:
        weights, images = map(read_verification, settings["files"])
        records, certificates, seconds = run(weights, images, log)
        write_parquet(output.records, records)
        write_json(output.seconds, seconds)
        with replacing(output.certificates) as temporary:
            save_certificates(temporary, certificates)
