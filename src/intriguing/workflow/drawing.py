"""Writing a figure in its three forms."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from matplotlib.figure import Figure

from intriguing.figures.style import styled
from intriguing.workflow.files import replacing

# Without the date the same figure gives the same bytes.
METADATA: Mapping[str, Mapping[str, str | None]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def draw(figure: Figure, stem: Path | str) -> None:
    """Write ``stem`` with .png, .svg and .pdf: all three, or none on an error."""
    with styled(), ExitStack() as unfinished:
        for suffix, metadata in METADATA.items():
            path = unfinished.enter_context(replacing(f"{stem}.{suffix}"))
            figure.savefig(path, metadata=dict(metadata))
