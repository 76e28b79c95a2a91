"""One row for each attacked image, failures included."""

import pandas as pd
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.attack import Adversarial


def records_of(
    found: Adversarial,
    clean: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    targets: Int[Tensor, " n"],
    answers: Int[Tensor, " n"],
    index: Int[Tensor, " n"],
) -> pd.DataFrame:
    """Return what is known of each image, without times: same run, same bytes.

    Args:
        found: Outcome of the attack.
        clean: Unperturbed images.
        labels: True classes.
        targets: Wanted classes, -1 where any wrong class would do.
        answers: The network's answers to the clean images.
        index: Position of each image among the training images.
    """
    shift = (found.images - clean).flatten(1)
    failure = ["" if won else "no weight succeeded" for won in found.reached.tolist()]
    return pd.DataFrame(
        {
            "index": index.numpy(),
            "label": labels.numpy(),
            "target": targets.numpy(),
            "reached": found.reached.numpy(),
            "prediction": found.prediction.numpy(),
            "distortion": found.distortion.numpy(),
            "l2": shift.norm(dim=1).numpy(),
            "linf": shift.abs().amax(1).numpy(),
            "weight": found.weight.numpy(),
            "iterations": found.iterations.numpy(),
            "evaluations": found.evaluations.numpy(),
            "start": found.start.numpy(),
            "clean_prediction": answers.numpy(),
            "failure": failure,
        }
    )
