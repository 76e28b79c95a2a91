"""The steps that make the data of a run."""

import runpy

import numpy as np
import pytest
from conftest import ROOT
from safetensors.numpy import load_file

from intriguing.errors import InputError

CHECKSUMS = ROOT / "data/checksums.tsv"


def step(name):
    """Find the ``run`` of a step script."""
    return runpy.run_path(str(ROOT / "scripts" / name))["run"]


@pytest.fixture
def outputs(tmp_path):
    return {part: tmp_path / f"{part}.safetensors" for part in ("train", "test")}


def test_the_first_digits_are_written_as_they_stand_in_the_files(mnist_raw, outputs):
    counts = {"train": 300, "test": 200}
    step("data/mnist.py")(mnist_raw, CHECKSUMS, counts, outputs)
    before = [outputs[part].read_bytes() for part in counts]
    step("data/mnist.py")(mnist_raw, CHECKSUMS, counts, outputs)
    assert [outputs[part].read_bytes() for part in counts] == before
    for part, prefix, count in (("train", "train", 300), ("test", "t10k", 200)):
        stored = load_file(outputs[part])
        images = (mnist_raw / f"{prefix}-images-idx3-ubyte").read_bytes()[16:]
        labels = (mnist_raw / f"{prefix}-labels-idx1-ubyte").read_bytes()[8:]
        assert stored["images"].shape == (count, 1, 28, 28)
        assert stored["images"].tobytes() == images[: count * 28 * 28]
        assert stored["labels"].dtype == np.int64
        assert stored["labels"].tolist() == list(labels[:count])


def test_the_whole_set_has_60000_and_10000_digits_of_ten_classes(mnist_raw, outputs):
    counts = {"train": 60_000, "test": 10_000}
    step("data/mnist.py")(mnist_raw, CHECKSUMS, counts, outputs)
    for part, count in counts.items():
        stored = load_file(outputs[part])
        assert len(stored["images"]) == len(stored["labels"]) == count
        assert set(stored["labels"]) == set(range(10))


def test_more_images_than_there_are_name_the_key(mnist_raw, outputs):
    counts = {"train": 100, "test": 10_001}
    with pytest.raises(InputError, match=r"data\.test_images: 10001 of 10000"):
        step("data/mnist.py")(mnist_raw, CHECKSUMS, counts, outputs)
    assert not outputs["test"].exists()


def test_the_halves_of_the_stored_set_are_disjoint_and_cover_it(
    mnist_raw, outputs, tmp_path
):
    counts = {"train": 301, "test": 1}
    step("data/mnist.py")(mnist_raw, CHECKSUMS, counts, outputs)
    paths = tmp_path / "P1.txt", tmp_path / "P2.txt"
    step("data/splits.py")(outputs["train"], 0, *paths)
    first, second = (np.loadtxt(path, dtype=int) for path in paths)
    assert (len(first), len(second)) == (150, 151)
    assert sorted([*first, *second]) == list(range(301))
