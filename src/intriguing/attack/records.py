"""The table of attacked images: one row an image, failures included."""

import pandas as pd
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.attack import Adversarial


def records_of(
    result: Adversarial,
    clean: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    targets: Int[Tensor, " n"],
    predictions: Int[Tensor, " n"],
    index: Int[Tensor, " n"],
) -> pd.DataFrame:
    """Return one row an image, without times: the same run gives the same bytes.

    Args:
        result: Outcome of the attack.
        clean: Unperturbed images.
        labels: True classes.
        targets: Target classes, -1 for an untargeted attack.
        predictions: The network's predictions for the clean images.
        index: Position of each image in its data set.
    """
    perturbation = (result.images - clean).flatten(1)
    reached = result.reached.tolist()
    columns = {
        "index": index,
        "label": labels,
        "target": targets,
        "reached": result.reached,
        "prediction": result.prediction,
        "distortion": result.distortion,
        "l2": perturbation.norm(dim=1),
        "linf": perturbation.abs().amax(1),
        "weight": result.weight,
        "iterations": result.iterations,
        "evaluations": result.evaluations,
        "start": result.start,
        "clean_prediction": predictions,
    }
    table = pd.DataFrame({name: column.numpy() for name, column in columns.items()})
    return table.assign(
        failure=["" if success else "no weight succeeded" for success in reached]
    )
