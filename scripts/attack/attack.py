"""Step: make adversarial images for one network, and keep a record of each."""

from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from intriguing.attack import find_adversarial
from intriguing.attack.coarse import SEARCHES
from intriguing.attack.lbfgs import Accuracy
from intriguing.attack.records import records_of
from intriguing.attack.targets import choose_targets
from intriguing.data import sample_indices, to_pixels
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.workflow.files import replacing
from intriguing.workflow.step import step_log


def run(
    settings: dict, seed: int, weights: Path, train: Path, finest: Path | None
) -> tuple[dict[str, torch.Tensor], pd.DataFrame]:
    """Attack training images drawn by the seed; misclassified ones are kept.

    Args:
        settings: ``row`` of the attack sheet; ``images`` to draw; ``starts``,
            ``tolerance`` and ``iterations`` of the search.
        seed: Decides images and targets.
        weights: The network.
        train: Training images and labels.
        finest: Records of the fine search, for a coarser one; else None.
    """
    row, digits, model = settings["row"], load_file(train), load_model(weights)
    index = torch.from_numpy(
        sample_indices(len(digits["labels"]), settings["images"], seed)
    )
    clean, labels = to_pixels(digits["images"][index]), digits["labels"][index]
    logits = predict(model, clean)
    answers, classes = logits.argmax(1), logits.shape[1]
    targets = choose_targets(row["target"], labels, answers, classes, seed)
    how = {"norm": row["norm"]}
    if row["search"] == "refine":
        how |= {"method": row["method"], "labels": labels, "starts": settings["starts"]}
        accuracy = {key: settings[key] for key in ("tolerance", "iterations")}
        how |= {"accuracy": Accuracy(**accuracy)}
        found = find_adversarial(model, clean, targets, **how)
    else:
        largest = torch.tensor(pd.read_parquet(finest)["weight"].to_numpy())
        search = SEARCHES[row["search"]]
        found = search(model, clean, targets, largest[: len(clean)], **how)
    # An untargeted attack has no target; -1 stands for none.
    target = torch.full_like(labels, -1) if targets is None else targets
    tensors = {"clean": clean, "adversarial": found.images, "label": labels}
    table = records_of(found, clean, labels, target, answers, index)
    return {**tensors, "target": target, "index": index}, table


if __name__ == "__main__":
    seed, settings = int(snakemake.wildcards.seed), snakemake.params.settings
    files, finest = snakemake.input, snakemake.input.get("finest")
    with step_log(snakemake, seed, settings["threads"]):
        tensors, table = run(
            settings, seed, files.weights, files.train, Path(finest) if finest else None
        )
        with replacing(snakemake.output.images) as temporary:
            save_file(tensors, temporary)
        with replacing(snakemake.output.records) as temporary:
            table.to_parquet(temporary, index=False)
