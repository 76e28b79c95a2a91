"""Step: split the training set into P1 and P2 of section 4.2."""

from safetensors import safe_open

from intriguing.data import disjoint_splits
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log


def run(train: str, seed: int, first: str, second: str) -> None:
    """Write the indices of each split of the images of ``train``, one a line."""
    with safe_open(train, framework="numpy") as stored:
        (count,) = stored.get_slice("labels").get_shape()
    for path, indices in zip(
        (first, second), disjoint_splits(count, seed), strict=True
    ):
        write_text(path, "".join(f"{index}\n" for index in indices))


if __name__ == "__main__":
    output, seed = snakemake.output, snakemake.params.settings["seed"]
    with step_log(snakemake):
        run(snakemake.input.train, seed, output.P1, output.P2)
