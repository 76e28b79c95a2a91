"""Networks between the strengths of a penalty that were trained."""

import numpy as np
import pandas as pd

from intriguing.bounds.penalised import MEASURES

PARTS = 50
"""Parts into which the step from one strength to the next is divided."""


def between_strengths(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records and, between neighbouring strengths, means weighted linearly.

    Without them the best network at a given error would depend on the few strengths
    that were tried.

    Args:
        records: ``method``, ``strength``, ``seed`` and `MEASURES` of every network; the
            strengths of a method from weak to strong.
    """
    columns, found = ["strength", *MEASURES], [records]
    for (method, seed), own in records.groupby(["method", "seed"], sort=False):
        weak, strong = own[columns].to_numpy()[:-1], own[columns].to_numpy()[1:]
        for share in np.arange(1, PARTS) / PARTS:
            mixed = pd.DataFrame((1 - share) * weak + share * strong, columns=columns)
            found.append(mixed.assign(method=method, seed=seed))
    return pd.concat(found, ignore_index=True)
