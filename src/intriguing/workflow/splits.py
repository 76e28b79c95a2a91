"""Networks trained on a split of the training images, and what their steps take."""

from collections.abc import Mapping, Sequence
from typing import Any

from intriguing.errors import InputError
from intriguing.tables.row_names import (
    AMPLIFIED,
    AMPLIFIED_CLIPPED,
    CLEAN,
    LITERAL,
    MATCHED,
    MATCHED_LENGTH,
    TIMES,
    TOGETHER,
)
from intriguing.workflow.config import RunConfig
from intriguing.workflow.sheets import AttackRow, ModelRow

Models = dict[str, ModelRow]


def whole(models: Mapping[str, ModelRow]) -> Models:
    """Return the networks trained on all images: those of Tables 1 and 2."""
    return {name: row for name, row in models.items() if row.split == "all"}


def on_splits(models: Mapping[str, ModelRow]) -> Models:
    """Return the networks trained on a split."""
    return {name: row for name, row in models.items() if row.split != "all"}


def compared(models: Mapping[str, ModelRow], config: RunConfig) -> Models:
    """Return the networks of Tables 3 and 4, in the order of the config; none for none.

    Raises:
        InputError: The config names a network that is not in the sheet or not trained
            on a split, or there is nothing to compare.
    """
    known = on_splits(models)
    for name in config.training_sets.networks:
        if name not in known:
            raise InputError(
                f"config: training_sets.networks: no network of {config.models} "
                f"trained on a split is called {name!r}; "
                f"known: {', '.join(known) or 'none'}"
            )
    chosen = {name: known[name] for name in config.training_sets.networks}
    both = {row.split for row in chosen.values()} == {"P1", "P2"}
    if chosen and not (both and len(chosen) > 2):
        raise InputError(
            f"config: training_sets.networks: {', '.join(chosen)} do not do; name two "
            "trained on one split and one trained on the other"
        )
    return chosen


def attack_test_settings(config: RunConfig, row: AttackRow) -> dict[str, Any]:
    """Return the settings of the step ``attack_test``.

    Keys: ``row`` (method, norm and target rule of the attack), ``images``, ``starts``,
    ``tolerance``, ``threads``.
    """
    search = {"starts", "tolerance", "threads"}
    return {
        "row": row.model_dump(mode="json", include={"method", "norm", "target"}),
        "images": config.training_sets.images,
        **config.attack.model_dump(mode="json", include=search),
    }


def errors_on_splits_settings(
    config: RunConfig, networks: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Return the settings of the step ``errors_on_splits``: networks, threads."""
    return {
        "networks": [list(network) for network in networks],
        "threads": config.attack.threads,
    }


def transfer_test_settings(
    config: RunConfig, networks: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Return the settings of the step ``transfer_test``."""
    return {
        "networks": [list(network) for network in networks],
        "amplified": config.training_sets.amplified,
        "deviations": list(config.training_sets.deviations),
        "threads": config.attack.threads,
    }


def cross_training_set_settings(
    config: RunConfig, models: Mapping[str, ModelRow]
) -> dict[str, Any]:
    """Return the rows of Table 4 and of its controls, and each network's split.

    The order is the paper's: each kind of image, then noise as long.
    """
    noise = [f"noise-{deviation:g}" for deviation in config.training_sets.deviations]
    amplified = [f"{AMPLIFIED}{model}" for model in models]
    kinds = (MATCHED, AMPLIFIED_CLIPPED, TOGETHER, LITERAL, TIMES)
    changed = [f"{kind}{model}" for kind in kinds for model in models]
    return {
        "rows": [*models, *noise[:1], *amplified, *noise[1:]],
        "controls": [CLEAN, *changed, *(f"{name}-clipped" for name in noise)],
        "splits": {name: row.split for name, row in models.items()},
    }


def transfer_pairs_settings(
    config: RunConfig, networks: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Return the settings of the step ``transfer_pairs``."""
    return {
        "networks": [list(network) for network in networks],
        **config.decomposition.model_dump(mode="json"),
        "threads": config.attack.threads,
    }


def decomposition_settings(
    config: RunConfig, models: Mapping[str, ModelRow]
) -> dict[str, Any]:
    """Return each network's architecture and split, and where the claim is judged."""
    shape = {name: f"{row.family} {row.hidden}" for name, row in models.items()}
    wanted, lengths = config.training_sets.amplified, config.decomposition.distortions
    nearest = min(lengths, key=lambda length: abs(length - wanted))
    return {
        "traits": {name: [shape[name], row.split] for name, row in models.items()},
        "judged": f"{MATCHED_LENGTH}{nearest:g}",
    }
