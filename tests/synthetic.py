"""Tables of predictions in which chosen images are misclassified."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def predictions_with(
    wrong: Mapping[tuple[str, str], Sequence[np.ndarray]],
) -> pd.DataFrame:
    """Return predictions, given which images are wrong: an array for each seed."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "row": row,
                    "column": column,
                    "seed": seed,
                    "label": 0,
                    "index": np.arange(len(hits)),
                    "distortion": 0.1 * (seed + 1),
                    "prediction": hits.astype(int),
                }
            )
            for (row, column), seeds in wrong.items()
            for seed, hits in enumerate(seeds)
        ],
        ignore_index=True,
    )


def first_wrong(
    counts: Mapping[tuple[str, str], Sequence[int]], images: int = 100
) -> pd.DataFrame:
    """Return predictions with so many of each seed's first images wrong."""
    return predictions_with(
        {
            cell: [np.arange(images) < count for count in seeds]
            for cell, seeds in counts.items()
        }
    )
