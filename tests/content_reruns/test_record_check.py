"""The guard against outputs that came without Snakemake's records."""

import os
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from content_reruns.record_check import RecordsError, missing_records, require_records

SNAKEFILE = """
rule all:
    input: "results/models/a.txt"

rule slow:
    output: "results/models/a.txt"
    shell: "echo whole > {output}; {config[then]}"
"""


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Path:
    """Enter an empty folder with one product in it."""
    monkeypatch.chdir(tmp_path)
    write("results/models/a.txt")
    return tmp_path


def write(name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("x")


PRODUCTS = ["results/models", "results/adversarial", "data/mnist.safetensors"]
RECORDS = Path(".snakemake/metadata")


def test_products_without_records_are_refused_in_one_sentence(clone):
    write("data/mnist.safetensors")
    with pytest.raises(RecordsError) as caught:
        require_records(PRODUCTS, RECORDS)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("results/models", "data/mnist", ".snakemake/metadata", "dvc pull"):
        assert part in message
    assert "adversarial" not in message


def record(name: str) -> None:
    write(f".snakemake/metadata/{urlsafe_b64encode(name.encode()).decode()}")


def test_records_of_the_product_count_and_no_others(clone):
    record("results/other/models/a.txt")
    write(".snakemake/incomplete/migration_underway")  # a mark of nothing
    assert missing_records(PRODUCTS, RECORDS) == [Path("results/models")]
    record("results/models/a.txt")
    assert missing_records(PRODUCTS, RECORDS) == []
    require_records(PRODUCTS, RECORDS)


def test_what_is_hidden_is_no_product(clone):
    """Git's files in a fresh clone, and half-written ones."""
    Path("results/models/a.txt").rename("results/models/.a.123.part.txt")
    write("results/models/.gitignore")
    RECORDS.mkdir(parents=True)
    assert missing_records(PRODUCTS, RECORDS) == []


@pytest.mark.parametrize("name", ["b.txt", "b" * 240 + ".txt"])
def test_outputs_of_a_killed_job_are_left_to_snakemake(clone, name):
    Path("results/models/a.txt").rename(f"results/models/{name}")
    mark = urlsafe_b64encode(f"results/models/{name}".encode()).decode()
    pieces = [mark[i : i + 254] for i in range(0, len(mark), 254)]
    folders = [f"@{piece}" for piece in pieces[:-1]]
    write("/".join([".snakemake/incomplete", *folders, pieces[-1]]))
    assert missing_records(PRODUCTS, RECORDS) == []
    write("results/adversarial/c.txt")
    assert missing_records(PRODUCTS, RECORDS) == [Path("results/adversarial")]


def snakemake(then: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--config"]
    return subprocess.Popen(
        [*command, f"then={then}"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_real_runs_whole_and_killed_are_accepted_and_lost_records_refused(clone):
    product = Path("results/models/a.txt")
    product.unlink()
    Path("Snakefile").write_text(SNAKEFILE)
    running = snakemake("sleep 60")
    while not product.exists() and running.poll() is None:
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert product.exists()
    assert missing_records(PRODUCTS, RECORDS) == []
    product.unlink()
    subprocess.run([sys.executable, "-m", "snakemake", "--unlock"], check=True)
    assert snakemake("true").wait() == 0
    assert missing_records(PRODUCTS, RECORDS) == []
    for record in RECORDS.rglob("*"):
        record.unlink()
    assert missing_records(PRODUCTS, RECORDS) == [Path("results/models")]
