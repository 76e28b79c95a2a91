"""Numbers of two runs, paired by table and cell, or by claim."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from intriguing.errors import InputError

NUMBERS = ["value", "low", "high"]
COLUMNS = ["label", *NUMBERS, "verdict"]


def read_table(path: Path) -> pd.DataFrame:
    """Return value, interval and verdict of each cell; none where there is no file.

    Raises:
        InputError: The file is not a table of results.
    """
    try:
        cells = pd.read_csv(path) if path.is_file() else _none("row", "column")
        labels = list(zip(cells["row"], cells["column"], strict=True))
        return _numbers(cells, labels, labels)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{path}: not a table of results ({error!r})") from None


def read_claims(path: Path) -> pd.DataFrame:
    """Return measurement, interval and verdict of each claim; none without the file.

    Raises:
        InputError: The file does not hold claims.
    """
    try:
        claims = _none("id", "statement")
        if path.is_file():
            claims = pd.DataFrame(json.loads(path.read_text(encoding="utf-8")))
        claims = claims.rename(columns={"measured": "value"})
        return _numbers(claims, claims["id"], [(text,) for text in claims["statement"]])
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{path}: not a list of claims ({error!r})") from None


def paired(base: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Pair the numbers of two runs by name, in this run's order.

    Returns:
        One row a name: the texts ``label``, ``base``, ``now``, ``change``,
        ``intervals`` and ``verdict``; whether it is ``changed`` (in both runs, but
        not the same), its intervals are ``apart``, it is ``judged`` otherwise,
        ``new``, ``gone``, or the ``same`` in both.
    """
    gone = base.index.difference(now.index, sort=False)
    names = pd.Index([*now.index, *gone], tupleize_cols=False, dtype=object)
    old, new = base.reindex(names), now.reindex(names)
    here, there = names.isin(now.index), names.isin(base.index)
    same = (old[NUMBERS] == new[NUMBERS]) | (old[NUMBERS].isna() & new[NUMBERS].isna())
    known = (old[NUMBERS].notna() & new[NUMBERS].notna()).all(axis=1)
    overlap = np.maximum(old["low"], new["low"]) <= np.minimum(old["high"], new["high"])
    judged = here & there & (old["verdict"] != new["verdict"])
    change = new["value"] - old["value"]
    frame = pd.DataFrame(index=names)
    frame["label"] = new["label"].where(here, old["label"])
    frame["base"], frame["now"] = _texts(old, there), _texts(new, here)
    frame["change"] = ["--" if np.isnan(one) else f"{one:+.3g}" for one in change]
    frame["intervals"] = np.where(overlap, "overlap", "apart")
    frame.loc[~known, "intervals"] = "--"
    verdicts = zip(old["verdict"], new["verdict"], strict=True)
    frame["verdict"] = [" → ".join(_distinct(pair)) or "--" for pair in verdicts]
    frame["changed"] = here & there & (judged | ~same.all(axis=1))
    frame["apart"], frame["judged"] = known & ~overlap, judged
    frame["new"], frame["gone"] = ~there, ~here
    frame["same"] = ~frame[["changed", "new", "gone"]].any(axis=1)
    return frame


def _none(*names: str) -> pd.DataFrame:
    return pd.DataFrame(columns=[*names, *NUMBERS, "verdict"])


def _numbers(frame: pd.DataFrame, names: Iterable, labels: Iterable) -> pd.DataFrame:
    """Return the numbers by name, as floats, with the labels shown for the names."""
    found = frame[NUMBERS].astype(float)
    found["verdict"] = frame["verdict"].astype(object).fillna("")
    found["label"] = pd.Series(list(labels), index=found.index, dtype=object)
    found.index = pd.Index(list(names), tupleize_cols=False, dtype=object)
    return found


def _distinct(verdicts: tuple[object, ...]) -> list[str]:
    return list(dict.fromkeys(v for v in verdicts if isinstance(v, str) and v))


def _texts(numbers: pd.DataFrame, there: np.ndarray) -> list[str]:
    """Return value and interval of each number as they are shown."""
    texts = []
    for (value, low, high), is_there in zip(
        numbers[NUMBERS].values, there, strict=True
    ):
        text = "--" if np.isnan(value) else f"{value:.4g}"
        if not np.isnan([value, low, high]).any():
            text += f" [{low:.4g}, {high:.4g}]"
        texts.append(text if is_there else "not there")
    return texts
