use rule transfer as transfer_minimal with:
    input:
        weights=weights_of(TRAINED),
        images=images_of("minimal", DRAWN),
    output:
        predictions=f"{RESULTS}/transfer/minimal.parquet",
    params:
        settings={**rules.transfer.params.settings, "deviations": []},
    message:
        "Feed every network's minimal adversarial images to every network"


rule table_minimal_transfer:
    input:
        minimal=rules.transfer_minimal.output.predictions,
        lbfgs=rules.transfer.output.predictions,
    output:
        **table("minimal-transfer", "Minimal perturbations: transfer"),
        **claims_page("minimal", "Minimal perturbations: transfer"),
    params:
        settings={"networks": [*MODELS, *CONVOLUTIONAL], "compared": list(MODELS)},
    message:
        "Transfer of minimal perturbations, and of those of the paper's method"
    script:
        step("transfer/table_minimal_transfer.py")


EVERYTHING += [*rules.transfer_minimal.output, *rules.table_minimal_transfer.output]
