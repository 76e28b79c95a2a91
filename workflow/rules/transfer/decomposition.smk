# Transfer between all networks of the sheet that are trained on a split.
PAIRED = sheets.trained(ON_SPLITS, CFG.seeds)


def decomposition_settings():
    """Each network's architecture and split, and the length that the claim is for."""
    amplified, lengths = CFG.training_sets.amplified, CFG.decomposition.distortions
    nearest = min(lengths, key=lambda length: abs(length - amplified))
    return {
        "traits": {
            name: (f"{row.family} {row.hidden}", row.split)
            for name, row in ON_SPLITS.items()
        },
        "judged": f"{row_names.MATCHED_LENGTH}{nearest:g}",
    }


rule transfer_pairs:
    input:
        weights=weights_of(PAIRED),
        images=images_of(sheets.FINEST, PAIRED),
    output:
        pairs=f"{RESULTS}/transfer/pairs.parquet",
    priority: 5
    params:
        settings={
            "networks": PAIRED,
            **CFG.decomposition.model_dump(mode="json"),
            "threads": CFG.attack.threads,
        },
    message:
        "Feed longer and longer perturbations to every other network trained on a split"
    script:
        step("transfer/transfer_pairs.py")


rule table_transfer_decomposition:
    input:
        pairs=rules.transfer_pairs.output.pairs,
        published=PUBLISHED,
    output:
        **table("transfer-decomposition", "Transfer: data, architecture, seed"),
        **claims_page("transfer-decomposition", "Transfer: data, architecture, seed"),
        **figure("transfer-decomposition", "Transfer: data, architecture, seed"),
    params:
        settings=decomposition_settings(),
    message:
        "How much of transfer is data, architecture, seed"
    script:
        step("transfer/table_transfer_decomposition.py")


if PAIRED:
    EVERYTHING += weights_of(PAIRED) + errors_of(PAIRED)
    EVERYTHING += images_of(sheets.FINEST, PAIRED) + records_of(sheets.FINEST, PAIRED)
    EVERYTHING += [*rules.transfer_pairs.output]
    EVERYTHING += [*rules.table_transfer_decomposition.output]
