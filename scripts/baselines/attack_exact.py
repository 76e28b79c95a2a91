"""Step: the shortest perturbations of a linear network beside its exact optima."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # SciPy's own, before it is loaded
import pandas as pd
from safetensors.torch import load_file

from intriguing.attack import minimal
from intriguing.attack.exact import linear_optima
from intriguing.attack.objective import target_mask_of
from intriguing.baselines.comparison import checked_distortions
from intriguing.baselines.task import task_of
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log


def run(
    weights: str, images: str, count: int, targeted: bool, seed: int
) -> pd.DataFrame:
    """Return both L2 lengths of every image, and what proves the optimum.

    Args:
        weights: A network of one linear layer.
        images: File of attacked images, for their clean ones and labels.
        count: How many of those that the network classifies correctly are attacked.
        targeted: Whether the attack has random target classes.
        seed: Decides the targets.

    Returns:
        ``image``, ``index``, ``reached``, ``found``, ``exact`` and ``lower``.
    """
    model = load_model(weights)
    task, index = task_of(model, load_file(images), count, targeted, seed)
    classes = predict(model, task.images[:1]).shape[1]
    target_mask = target_mask_of(classes, task.targets, task.labels)
    exact = linear_optima(model, task.images, target_mask)
    found = minimal.search(model, task.images, target_mask).image
    found = checked_distortions(model, task, found.reshape(task.images.shape))
    lengths = found * task.images[0].numel() ** 0.5
    return pd.DataFrame(
        {
            "image": range(len(index)),
            "index": index.numpy(),
            "reached": lengths.isfinite().numpy(),
            "found": lengths,
            "exact": exact.length,
            "lower": exact.lower,
        }
    )


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    targeted = snakemake.wildcards.criterion == "targeted"
    how = settings["count"], targeted, settings["seed"]
    with step_log(snakemake, settings["seed"], settings["threads"]):
        write_parquet(snakemake.output[0], run(files.weights, files.images, *how))
