# The first seed of each network.
DRAWN = list(dict(reversed(SPECTRAL)).items())[::-1]


def spectra_settings(wildcards):
    """Channels, height and width of the images that a network takes."""
    model, data = wildcards.model, "mnist"
    if model not in MODELS:
        data = CONVOLUTIONAL[model].data if model in CONVOLUTIONAL else "photographs"
    return {"shape": convolutions.shape_of(data), "threads": CFG.train.threads}


rule spectra:
    input:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
    output:
        f"{RESULTS}/spectra/{{model}}/{{seed}}.json",
    log:
        f"{RESULTS}/logs/spectra/{{model}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/spectra/{{model}}/{{seed}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=spectra_settings,
        code=digest("spectra/spectra.py"),
    message:
        "Lipschitz constants of the layers of {wildcards.model}, seed {wildcards.seed}"
    script:
        step("spectra/spectra.py")


rule table_spectral:
    input:
        measured=[f"{RESULTS}/spectra/{m}/{s}.json" for m, s in SPECTRAL],
        published="data/published.tsv",
    output:
        csv=f"{RESULTS}/tables/spectral.csv",
        md=f"{RESULTS}/tables/spectral.md",
        tex=f"{RESULTS}/tables/spectral.tex",
        html=report(
            f"{RESULTS}/tables/spectral.html",
            caption="../report/table-spectral.rst",
            category="Tables",
            labels={"table": "Lipschitz constants of layers", "paper": "Table 5"},
        ),
    log:
        f"{RESULTS}/logs/table_spectral.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_spectral.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"networks": SPECTRAL},
        code=digest("spectra/table_spectral.py"),
    message:
        "Table 5: Lipschitz constants of layers, and their product"
    script:
        step("spectra/table_spectral.py")


rule figure_spectra:
    input:
        measured=[f"{RESULTS}/spectra/{m}/{s}.json" for m, s in DRAWN],
    output:
        png=f"{RESULTS}/figures/spectra.png",
        svg=report(
            f"{RESULTS}/figures/spectra.svg",
            caption="../report/figure-spectra.rst",
            category="Figures",
            labels={"figure": "Singular values of layers", "paper": "Section 4.3"},
        ),
        pdf=f"{RESULTS}/figures/spectra.pdf",
    log:
        f"{RESULTS}/logs/figure_spectra.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_spectra.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"networks": [m for m, _ in DRAWN]},
        code=digest("spectra/figure_spectra.py"),
    message:
        "Singular values of every layer"
    script:
        step("spectra/figure_spectra.py")
