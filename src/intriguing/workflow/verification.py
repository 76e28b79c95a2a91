"""Files of other people's benchmarks of verifiers, fixed by checksum."""

import csv
import hashlib
import os
from pathlib import Path

from intriguing.errors import InputError

CHECKSUMS = Path("data/verification.tsv")
FOLDER = "verification"


def read_verification(name: str) -> bytes:
    """Return the content of a file of `data/raw/verification` or of the mirror.

    Raises:
        InputError: It is in neither, or has another checksum.
    """
    path = _place(name)
    if path is None:
        raise InputError(
            f"{name} is missing: put it into data/raw/{FOLDER}, or set "
            f"INTRIGUING_MIRROR to a folder with {FOLDER}/{name}"
        )
    with CHECKSUMS.open(encoding="utf-8", newline="") as lines:
        known = {r["file"]: r["sha256"] for r in csv.DictReader(lines, delimiter="\t")}
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != known[name]:
        raise InputError(
            f"{path} has the sha256 {digest} instead of {known[name]}; fetch it again"
        )
    return content


def is_staged(*names: str) -> bool:
    """Return whether all files are in `data/raw/verification` or the mirror."""
    return None not in map(_place, names)


def _place(name: str) -> Path | None:
    """Return the path of a file, None if it is nowhere."""
    folders = [
        Path("data/raw"),
        Path(os.environ.get("INTRIGUING_MIRROR") or "data/raw"),
    ]
    places = [folder / FOLDER / name for folder in folders]
    return next((place for place in places if place.is_file()), None)
