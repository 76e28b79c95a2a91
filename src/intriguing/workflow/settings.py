"""What each step takes from config and sheet.

Exactly that and no more: whatever is among it makes the step run again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from intriguing.tables.row_names import CLEAN, MATCHED
from intriguing.workflow.config import AutoencoderSection, RunConfig
from intriguing.workflow.sheets import FINEST, AttackRow, Job, ModelRow, images_of


def digits_settings(config: RunConfig) -> dict[str, Any]:
    """Return the settings of the step ``digits``: how many images to keep.

    Not ``data.mirror``: where the same bytes come from is no reason to make anything
    again. It reaches the step by the environment.
    """
    return config.data.model_dump(include={"train_images", "test_images"})


def training_settings(config: RunConfig, row: ModelRow) -> dict[str, Any]:
    """Return the settings of the step ``train``: ``row``, ``autoencoder``, ``threads``.

    The part is not in the row: it comes as a file of indices.
    """
    # Other families do not look at it; a change must not make them train again.
    used = row.family == "autoencoder"
    autoencoder = config.train.autoencoder if used else AutoencoderSection()
    return {
        "row": row.model_dump(mode="json", exclude={"split"}),
        "autoencoder": autoencoder.model_dump(mode="json"),
        "threads": config.train.threads,
    }


def attack_settings(config: RunConfig, row: AttackRow) -> dict[str, Any]:
    """Return the settings of the step ``attack``.

    Keys: ``row`` (but for the columns that say on what to run it), ``images`` to draw
    and attack, ``starts``, ``tolerance``, ``iterations``, ``threads``.
    """
    where = {"models", "seeds", "images"}
    search = {"starts", "tolerance", "iterations", "threads"}
    return {
        "row": row.model_dump(mode="json", exclude=where),
        "images": images_of(row, config.attack),
        **config.attack.model_dump(mode="json", include=search),
    }


def transfer_settings(
    config: RunConfig, trained: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Return the settings of the step ``transfer``: networks, deviations, threads."""
    return {
        "networks": [list(network) for network in trained],
        "deviations": list(config.noise.deviations),
        "threads": config.attack.threads,
    }


def cross_model_settings(config: RunConfig, models: Sequence[str]) -> dict[str, Any]:
    """Return the rows of Table 2 and of its controls, and the size of the sample."""
    noise = [f"noise-{deviation:g}" for deviation in config.noise.deviations]
    matched = [f"{MATCHED}{model}" for model in models]
    return {
        "rows": [*models, *noise],
        "controls": [CLEAN, *matched, *(f"{name}-clipped" for name in noise)],
        "sample": config.attack.sample,
    }


def choices_settings(config: RunConfig, attacked: Sequence[Job]) -> dict[str, Any]:
    """Return the attacks in the order of their files, and the size of the sample."""
    return {
        "jobs": [list(job) for job in attacked],
        "reference": FINEST,
        "sample": config.attack.sample,
    }


def claims_settings(
    models: Mapping[str, ModelRow], trained: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Return which networks the claims speak of; those on transfer: the paper's."""
    linear = [row for row in models.values() if row.family == "linear"]
    coded = [name for name, row in models.items() if row.family == "autoencoder"]
    return {
        "networks": [list(network) for network in trained],
        "transfer": list(models),
        "by_decay": [row.model for row in sorted(linear, key=lambda row: row.decay)],
        "autoencoder": coded[0] if coded else None,
    }
