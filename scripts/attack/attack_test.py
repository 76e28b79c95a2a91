"""Step: make adversarial images of test digits for one network, as for Table 4."""

import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from intriguing.attack import find_adversarial
from intriguing.attack.lbfgs import Accuracy
from intriguing.attack.records import records_of
from intriguing.attack.targets import choose_targets
from intriguing.data import sample_indices, to_pixels
from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.workflow.files import replacing
from intriguing.workflow.step import step_log


def run(
    settings: dict, seed: int, weights: str, test: str
) -> tuple[dict[str, torch.Tensor], pd.DataFrame]:
    """Attack test images drawn by the seed; misclassified ones are kept.

    Args:
        settings: ``row`` with method, norm and target rule; ``images`` to draw;
            ``starts`` and ``tolerance`` of the search.
        seed: Decides images and targets.
        weights: The network.
        test: Test images and labels.

    Returns:
        The images with what belongs to them, and a record of each.
    """
    row, digits, model = settings["row"], load_file(test), load_model(weights)
    index = torch.from_numpy(
        sample_indices(len(digits["labels"]), settings["images"], seed)
    )
    clean, labels = to_pixels(digits["images"][index]), digits["labels"][index]
    logits = predict(model, clean)
    answers, classes = logits.argmax(1), logits.shape[1]
    targets = choose_targets(row["target"], labels, answers, classes, seed)
    how = {"method": row["method"], "norm": row["norm"], "labels": labels}
    how |= {"starts": settings["starts"]}
    accuracy = Accuracy(tolerance=settings["tolerance"])
    found = find_adversarial(model, clean, targets, accuracy=accuracy, **how)
    # An untargeted attack has no target; -1 stands for none.
    target = torch.full_like(labels, -1) if targets is None else targets
    tensors = {"clean": clean, "adversarial": found.images, "label": labels}
    table = records_of(found, clean, labels, target, answers, index)
    return {**tensors, "target": target, "index": index}, table


if __name__ == "__main__":
    seed, settings = int(snakemake.wildcards.seed), snakemake.params.settings
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        tensors, table = run(settings, seed, files.weights, files.test)
        with replacing(output.images) as temporary:
            save_file(tensors, temporary)
        with replacing(output.records) as temporary:
            table.to_parquet(temporary, index=False)
