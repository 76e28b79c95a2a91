# Figure 5's two kinds of targets: ostrich of ImageNet's classes, bird of CIFAR-10's.
TARGETS = {"fixed": {"photographs": 9, "cifar10": 2}, "random": {}}
# Whose layers Figures 3 and 4 show: early, middle and last features.
NATURAL_LAYERS = {
    "squeezenet1_0": ("1.features.6", "1.features.11", "1.features.12"),
    "squeezenet1_1": ("1.features.5", "1.features.8", "1.features.12"),
}
FOLDERS = {row.data for row in CONVOLUTIONAL.values()} - {"mnist"}
ALIKE = {"photographs": list(PRETRAINED)}
ALIKE |= {data: [m for m in CONVOLUTIONAL if data_of(m) == data] for data in FOLDERS}


def natural_images(model):
    """Images that a network is attacked on; it was not trained on them."""
    part = "all" if model in PRETRAINED else "test"
    return f"{RESULTS}/data/{data_of(model)}/{part}.safetensors"


def images_settings(wildcards):
    return {"name": wildcards.data, "size": convolutions.shape_of(wildcards.data)[1]}


def pretrained_settings(wildcards):
    return {"name": PRETRAINED[wildcards.model]}


DIRECTED |= {
    f"top-images-{name}": {
        "network": (model, 0),
        "images": natural_images(model),
        "layers": dict(zip(NATURAL_LAYERS[name], ("early", "middle", "last"))),
        "columns": 5,
    }
    for model, name in PRETRAINED.items()
    if name in NATURAL_LAYERS
}


rule images:
    output:
        train=f"{RESULTS}/data/{{data}}/train.safetensors",
        test=f"{RESULTS}/data/{{data}}/test.safetensors",
    log:
        f"{RESULTS}/logs/images/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/images/{{data}}.tsv"
    wildcard_constraints:
        data="|".join(map(re.escape, FOLDERS)) or "(?!)",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        settings=images_settings,
        code=digest("data/datasets.py"),
    message:
        "Read the images {wildcards.data}"
    script:
        step("data/datasets.py")


rule photographs:
    output:
        f"{RESULTS}/data/photographs/all.safetensors",
    log:
        f"{RESULTS}/logs/photographs.log",
    benchmark:
        f"{RESULTS}/benchmarks/photographs.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        settings={"size": convolutions.shape_of("photographs")[1]},
        code=digest("natural/photographs.py"),
    message:
        "Read the ImageNet photographs"
    script:
        step("natural/photographs.py")


rule pretrained:
    output:
        f"{RESULTS}/models/{{model}}/0.safetensors",
    log:
        f"{RESULTS}/logs/pretrained/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrained/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, PRETRAINED)) or "(?!)",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=pretrained_settings,
        code=digest("natural/pretrained.py"),
    message:
        "Fetch the weights of {wildcards.model}"
    script:
        step("natural/pretrained.py")


rule recognise:
    input:
        weights=f"{RESULTS}/models/{{model}}/0.safetensors",
        images=f"{RESULTS}/data/photographs/all.safetensors",
    output:
        f"{RESULTS}/training/{{model}}/0.json",
    log:
        f"{RESULTS}/logs/recognise/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/recognise/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, PRETRAINED)) or "(?!)",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        settings={"threads": CFG.train.threads},
        code=digest("natural/top1_error.py"),
    message:
        "What {wildcards.model} makes of the photographs"
    script:
        step("natural/top1_error.py")


rule spectra_layers:
    output:
        f"{RESULTS}/spectra/alexnet-2012/0.json",
    log:
        f"{RESULTS}/logs/spectra_layers.log",
    benchmark:
        f"{RESULTS}/benchmarks/spectra_layers.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        settings={"weights": CFG.natural.layers, "threads": CFG.train.threads},
        code=digest("spectra/spectra_layers.py"),
    message:
        "Lipschitz constants of the layers in {params.settings[weights]}"
    script:
        step("spectra/spectra_layers.py")
