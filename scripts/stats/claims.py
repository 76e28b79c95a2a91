"""Step: the paper's claims, measured and judged, and the headline numbers."""

import json
from pathlib import Path

import pandas as pd

from intriguing.stats.agreement import Claim, to_json
from intriguing.tables.html import claims_page
from intriguing.tables.rates import error_rates
from intriguing.tables.row_names import MATCHED
from intriguing.tables.tidy import headline
from intriguing.transfer.claims import (
    adversarial_images_exist,
    autoencoder_resists,
    strong_to_weak,
    strong_to_weak_is_best,
    transfer_beats_noise,
)
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log


def run(
    networks: list[tuple[str, int]],
    records: list[str],
    answers: pd.DataFrame,
    by_decay: list[str],
    autoencoder: str | None,
) -> list[Claim]:
    """Return the claims on adversarial images and their transfer.

    A claim is left out where the networks that it compares are not there.

    Args:
        networks: Name and seed of each attacked network.
        records: Files with a row for each attacked image, in that order.
        answers: Every network's answer to every image.
        by_decay: Linear networks, from the weakest decay to the strongest.
        autoencoder: Name of the network on an autoencoder's codes, None for none.
    """
    reached: dict[str, list[pd.Series]] = {}
    for (name, _), path in zip(networks, records, strict=True):
        reached.setdefault(name, []).append(pd.read_parquet(path)["reached"])
    rates, fed = error_rates(answers), answers["column"].nunique()
    judged = [adversarial_images_exist(reached)]
    if fed > 1:
        judged.append(transfer_beats_noise(answers))
    if len(by_decay) > 1:
        judged.append(strong_to_weak(rates, by_decay))
        judged.append(strong_to_weak_is_best(rates, by_decay))
    if autoencoder and fed > 2:
        judged.append(autoencoder_resists(rates, autoencoder))
    return judged


def among(answers: pd.DataFrame, networks: list[str]) -> pd.DataFrame:
    """Return the answers of some networks, to images not made for any other."""
    others = set(answers["column"]) - set(networks)
    source = answers["row"].str.removeprefix(MATCHED)
    return answers[answers["column"].isin(networks) & ~source.isin(others)]


def metrics(claims: list[Claim], table_files: dict[str, str]) -> dict:
    """Return the headline numbers, nested by table, and the verdicts."""
    nested = {n: headline(pd.read_csv(path)) for n, path in table_files.items()}
    return {"tables": nested, "claims": {claim.id: claim.verdict for claim in claims}}


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    networks = [tuple(network) for network in settings["networks"]]
    with step_log(snakemake, threads=None):
        answers = among(pd.read_parquet(files.answers), settings["transfer"])
        linear, autoencoder = settings["by_decay"], settings["autoencoder"]
        found = run(networks, files.records, answers, linear, autoencoder)
        for chapter in files.chapters:
            found += [Claim(**kept) for kept in json.loads(Path(chapter).read_text())]
        named = {Path(path).stem: path for path in files.tables}
        write_text(snakemake.output.claims, to_json(found))
        write_text(snakemake.output.html, claims_page(found))
        text = json.dumps(metrics(found, named), indent=2, sort_keys=True) + "\n"
        write_text(snakemake.output.metrics, text)
