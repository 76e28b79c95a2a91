"""Networks trained on a split of the training images."""

from collections.abc import Mapping

from intriguing.errors import InputError
from intriguing.workflow.config import RunConfig
from intriguing.workflow.sheets import ModelRow

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
