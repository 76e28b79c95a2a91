"""Run the commands of docs/reproducing.md in a scratch copy and record their output.

    python tests/record_docs.py   ten minutes; needs dvc-s3 and moto[server] as well

In the blocks marked ``console`` each line that begins with ``$ `` is run, and its
output replaces the lines after it. Hidden commands stand in a comment before the block;
``fails`` as the comment's first word lets the block's commands fail. The run is the
smoke run under the paper run's name, so that all paths are real.
"""

import logging
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml
from conftest import ROOT
from scratch import call, commit, copy_repository, environment
from shown import shortened

from intriguing.workflow.fetch import fetch_mnist, mnist_sources, read_checksums

DOCUMENT = ROOT / "docs/reproducing.md"
BLOCK = re.compile(
    r"(?P<before><!--(?P<hidden>.*?)-->\n)?```console\n(?P<text>.*?)```\n", re.DOTALL
)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)
PORT = 5567
KEYS = {
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class Shell:
    """Commands one after another, each in the folder where the last one ended."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder, self.settings = folder, settings
        self.home = folder.parent

    def run(self, command: str, may_fail: bool = False) -> str:
        place = self.home / "place"
        done = subprocess.run(
            ["bash", "-c", f"{command}\nstatus=$?; pwd > {place}; exit $status"],
            cwd=self.folder,
            env=self.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output = shortened(done.stdout.replace(str(self.home), "…"))
        print(f"$ {command}\n{output}", flush=True)
        if done.returncode and not may_fail:
            raise SystemExit(done.stdout)
        self.folder = Path(place.read_text().strip())
        return output


def recorded(shell: Shell, block: re.Match[str]) -> str:
    """Run a block's commands; return the block with their present output."""
    hidden = (block["hidden"] or "").strip()
    may_fail = hidden.startswith("fails")
    for command in hidden.removeprefix("fails").strip().splitlines():
        shell.run(command)
    parts = []
    for command in COMMAND.findall(block["text"]):
        parts.append(f"$ {command}\n{shell.run(command, may_fail)}")
    text = "\n".join(parts)
    return f"{block['before'] or ''}```console\n{text}```\n"


def prepare(home: Path) -> Path:
    """Make a finished, recorded and tagged run in a copy of the repository."""
    raw = ROOT / "data/raw/mnist"
    fetch_mnist(raw, read_checksums(ROOT / "data/checksums.tsv"), mnist_sources())
    tree = copy_repository(home / "intriguing", raw)
    settings = yaml.safe_load((tree / "config/smoke.yaml").read_text())
    del settings["train"]  # the page appends this key
    path = tree / "config/config.yaml"
    path.write_text(yaml.safe_dump(settings | {"run": "paper"}, sort_keys=False))
    for name in ("dvc.lock", "results/paper/compare.html"):
        (tree / name).unlink(missing_ok=True)
    install_commands(tree)
    return tree


def install_commands(tree: Path) -> None:
    """Give a checkout the commands of an installed environment."""
    folder = tree / ".venv/bin"
    folder.mkdir(parents=True)
    for name, module in (
        ("python", ""),
        ("dvc", "-m dvc"),
        ("snakemake", "-m snakemake"),
    ):
        command = f"PYTHONPATH={tree}/src exec {sys.executable} {module}"
        (folder / name).write_text(f'#!/bin/sh\n{command} "$@"\n')
        (folder / name).chmod(0o755)
    (folder.parent / "requirements.lock").write_bytes(
        (tree / "requirements.lock").read_bytes()
    )


@contextmanager
def s3_server():
    """Serve S3 on loopback, with an empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=PORT, verbose=False)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ.update(KEYS)
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{PORT}")
    client.create_bucket(Bucket="results")
    yield
    server.stop()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="record-") as folder, s3_server():
        tree = prepare(Path(folder))
        settings = environment(tree) | KEYS
        settings["PATH"] = f"{tree}/.venv/bin{os.pathsep}{settings['PATH']}"
        shell = Shell(tree, settings)
        shell.run("snakemake --cores 2 && dvc repro")
        commit(tree, "First results")
        call(tree, "git", "tag", "first")
        text = BLOCK.sub(partial(recorded, shell), DOCUMENT.read_text())
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
