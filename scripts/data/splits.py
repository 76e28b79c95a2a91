"""Step: cut the training set into the halves P1 and P2 of section 4.2."""

from pathlib import Path

from safetensors import safe_open

from intriguing.data import disjoint_splits
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log


def run(train: Path, seed: int, first: Path, second: Path) -> None:
    """Write the indices of each half of the images of ``train``, one a line."""
    with safe_open(train, framework="numpy") as stored:
        (count,) = stored.get_slice("labels").get_shape()
    for path, indices in zip(
        (first, second), disjoint_splits(count, seed), strict=True
    ):
        write_text(path, "".join(f"{index}\n" for index in indices))


if __name__ == "__main__":
    with step_log(snakemake):
        run(
            Path(snakemake.input.train),
            snakemake.params.settings["split_seed"],
            Path(snakemake.output.P1),
            Path(snakemake.output.P2),
        )
