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


def save_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure beside ``path`` as PNG, SVG and PDF: all three, or none."""
    with styled(), ExitStack() as unfinished:
        for suffix, metadata in METADATA.items():
            place = Path(path).with_suffix(f".{suffix}")
            temporary = unfinished.enter_context(replacing(place))
            figure.savefig(temporary, metadata=dict(metadata))
