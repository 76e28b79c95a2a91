def split_of(wildcards):
    """Indices of the training images when the network is trained on a split."""
    split = ALL_MODELS[wildcards.model].split
    return [] if split == "all" else f"{MNIST}/{split}.txt"


def training_settings(wildcards):
    return settings.training_settings(CFG, ALL_MODELS[wildcards.model])


def images_of(wildcards):
    """Training and test images of a convolutional network."""
    folder = f"{RESULTS}/data/{CONVOLUTIONAL[wildcards.model].data}"
    return {part: f"{folder}/{part}.safetensors" for part in ("train", "test")}


def convolutional_settings(wildcards):
    return convolutions.convolutional_settings(CFG, CONVOLUTIONAL[wildcards.model])


rule train:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
        split=split_of,
    output:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
        errors=f"{RESULTS}/training/{{model}}/{{seed}}.json",
    log:
        f"{RESULTS}/logs/train/{{model}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{model}}/{{seed}}.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, ALL_MODELS)),
    # Everything waits for the networks; the attacks then fill both ends of the queue.
    priority: 10
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings=training_settings,
        code=digest("training/train.py"),
    message:
        "Train {wildcards.model}, seed {wildcards.seed}"
    script:
        step("training/train.py")


rule train_convolutional:
    input:
        unpack(images_of),
    output:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
        errors=f"{RESULTS}/training/{{model}}/{{seed}}.json",
    log:
        f"{RESULTS}/logs/train_convolutional/{{model}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_convolutional/{{model}}/{{seed}}.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, CONVOLUTIONAL)),
    priority: 10
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=convolutional_settings,
        code=digest("training/train_convolutional.py"),
    message:
        "Train {wildcards.model}, seed {wildcards.seed}"
    script:
        step("training/train_convolutional.py")
