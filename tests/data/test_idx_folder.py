"""Images of the user's own in MNIST's format: read as they are, or refused."""

import gzip
import json

import numpy as np
import pytest
from scratch import attempt, call, copy_repository, python

from intriguing.errors import InputError
from intriguing.workflow.idx_folder import idx_paths
from intriguing.workflow.idx_images import read_idx_pair

RNG = np.random.default_rng(0)


def idx(values: np.ndarray) -> bytes:
    sizes = b"".join(n.to_bytes(4, "big") for n in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


def write_folder(folder, count=80):
    """Write four files, the training images packed; return images and labels."""
    folder.mkdir(parents=True)
    labels = np.arange(count) % 10
    images = RNG.integers(0, 40, (count, 28, 28))
    images[np.arange(count), labels] += 200  # a bright line says the class
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(labels))
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx(images))
    plain = folder / "train-images-idx3-ubyte"
    plain.with_name(f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return images, labels


def test_plain_and_packed_files_hold_the_images_and_fewer_are_refused(tmp_path):
    images, labels = write_folder(tmp_path / "own")
    for part, of in idx_paths(tmp_path / "own").items():
        found = read_idx_pair(of["images"], of["labels"], 30, part)
        np.testing.assert_array_equal(found[0], images[:30])
        np.testing.assert_array_equal(found[1], labels[:30])
    with pytest.raises(InputError, match=r"data\.test_images: 90 of 80"):
        read_idx_pair(of["images"], of["labels"], 90, "test")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "data.folder"),
        (lambda path: path.write_bytes(b"html"), "no IDX file"),
        (lambda path: path.write_bytes(idx(np.arange(3))), "N labels"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, damage, told):
    write_folder(tmp_path / "own")
    damage(tmp_path / "own/t10k-labels-idx1-ubyte")
    with pytest.raises(InputError, match=told) as caught:
        of = idx_paths(tmp_path / "own")["test"]
        read_idx_pair(of["images"], of["labels"], 30, "test")
    assert "t10k-labels-idx1-ubyte" in str(caught.value)


def test_a_run_of_own_images_has_their_errors_and_no_number_of_the_paper(
    tmp_path, mnist_raw
):
    clone = copy_repository(tmp_path / "clone", mnist_raw)
    write_folder(clone / "data/raw/lines")
    own = clone / "config/lines.yaml"
    own.write_text(
        "run: lines\nseeds: [0]\n"
        "data: {folder: data/raw/lines, train_images: 80, test_images: 80}\n"
        "attack: {images: 20, sample: 20}\ntraining_sets: {images: 20}\n"
    )
    run = python("snakemake", "--configfile", own, "--cores", "2")
    call(clone, *run, "results/lines/training/FC10-1e-2/0.json")
    errors = json.loads((clone / "results/lines/training/FC10-1e-2/0.json").read_text())
    assert errors["test"] == {"wrong": 0, "images": 80}
    planned = call(clone, *run, "--dry-run", "--quiet", "rules")
    assert "mnist" not in planned and "table_readings" not in planned
    (clone / "data/raw/lines/t10k-labels-idx1-ubyte").unlink()
    status, said = attempt(clone, *run, "--dry-run")
    assert status != 0
    assert "data.folder" in said and "t10k-labels-idx1-ubyte" in said
