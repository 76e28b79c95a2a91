ALEXNET_2012 = ("alexnet-2012", 0)
MEASURED = TRAINED
if PRETRAINED:
    MEASURED = [*CONVOLUTED, *((model, 0) for model in PRETRAINED), ALEXNET_2012]
# The first seed of each network.
DRAWN = list(dict(reversed(MEASURED)).items())[::-1]


def spectra_of(networks):
    return [f"{RESULTS}/spectra/{model}/{seed}.json" for model, seed in networks]


def spectra_settings(wildcards):
    """Channels, height and width of the images that a network takes."""
    shape = convolutions.shape_of(data_of(wildcards.model))
    return {"shape": shape, "threads": CFG.train.threads}


rule spectra:
    input:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
    output:
        f"{RESULTS}/spectra/{{model}}/{{seed}}.json",
    params:
        settings=spectra_settings,
    message:
        "Lipschitz constants of the layers of {wildcards.model}, seed {wildcards.seed}"
    script:
        step("spectra/spectra.py")


rule spectra_layers:
    output:
        spectra_of([ALEXNET_2012]),
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        settings={"weights": CFG.natural.layers, "threads": CFG.train.threads},
    message:
        "Lipschitz constants of the layers in {params.settings[weights]}"
    script:
        step("spectra/spectra_layers.py")


rule table_spectral:
    input:
        measured=spectra_of(MEASURED),
        published=PUBLISHED,
    output:
        **table("spectral", "Lipschitz constants of layers", "Table 5"),
    params:
        settings={"networks": MEASURED},
    message:
        "Table 5: Lipschitz constants of layers, and their product"
    script:
        step("spectra/table_spectral.py")


rule figure_spectra:
    input:
        measured=spectra_of(DRAWN),
    output:
        **figure("spectra", "Singular values of layers", "Section 4.3"),
    params:
        settings={"networks": [model for model, _ in DRAWN]},
    message:
        "Singular values of every layer"
    script:
        step("spectra/figure_spectra.py")


PAPER += spectra_of(MEASURED)
PAPER += [*rules.table_spectral.output, *rules.figure_spectra.output]
if PRETRAINED:
    NATURAL += [*rules.table_spectral.output, *rules.figure_spectra.output]


include: "mean_value.smk"
