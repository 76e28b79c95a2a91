from intriguing.workflow.sections import AutoencoderSection, LbfgsSection


def split_of(wildcards):
    """Indices of the training images when the network is trained on a split."""
    split = PERCEPTRONS[wildcards.model].split
    return [] if split == "all" else f"{MNIST}/{split}.txt"


def training_settings(wildcards):
    row = PERCEPTRONS[wildcards.model]
    # Other networks ignore a section; a change must not make them train again.
    coded = row.family == "autoencoder"
    by_lbfgs = row.family == "sigmoid" and row.learning_rate is None
    autoencoder = CFG.train.autoencoder if coded else AutoencoderSection()
    lbfgs = CFG.train.lbfgs if by_lbfgs else LbfgsSection()
    return {
        # The split comes as a file of indices.
        "row": row.model_dump(mode="json", exclude={"split"}),
        "autoencoder": autoencoder.model_dump(),
        "lbfgs": lbfgs.model_dump(),
        "threads": CFG.train.threads,
    }


def convolutional_images(wildcards):
    folder = f"{RESULTS}/data/{data_of(wildcards.model)}"
    return {kind: f"{folder}/{kind}.safetensors" for kind in ("train", "test")}


def convolutional_settings(wildcards):
    # How many seeds there are, and where images come from, changes no network.
    others = {"seeds", "data", "attacked", "tolerance", "iterations"}
    row = CONVOLUTIONAL[wildcards.model].model_dump(mode="json", exclude=others)
    return {"row": row, "threads": CFG.train.threads}


rule train:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
        split=split_of,
    output:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
        errors=f"{RESULTS}/training/{{model}}/{{seed}}.json",
    wildcard_constraints:
        model=any_of(PERCEPTRONS),
    # Everything waits for the networks; the attacks then fill both ends of the queue.
    priority: 10
    params:
        settings=training_settings,
    message:
        "Train {wildcards.model}, seed {wildcards.seed}"
    script:
        step("training/train.py")


rule train_convolutional:
    input:
        unpack(convolutional_images),
    output:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
        errors=f"{RESULTS}/training/{{model}}/{{seed}}.json",
    wildcard_constraints:
        model=any_of(CONVOLUTIONAL),
    priority: 10
    resources:
        runtime=30,
    params:
        settings=convolutional_settings,
    message:
        "Train {wildcards.model}, seed {wildcards.seed}"
    script:
        step("training/train_convolutional.py")


# Beyond the paper, whose perceptrons have sigmoid units. No row of a sheet: it is
# attacked and compared only by the chapters that ask for it.
RECTIFIED = "ReLU100-100-10"
RECTIFIED_NETWORKS = [(RECTIFIED, seed) for seed in CFG.seeds]


rule train_rectified:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        weights=f"{RESULTS}/models/{RECTIFIED}/{{seed}}.safetensors",
        errors=f"{RESULTS}/training/{RECTIFIED}/{{seed}}.json",
    priority: 10
    params:
        settings={
            "model": RECTIFIED,
            "sizes": [784, 100, 100, 10],
            "threads": CFG.train.threads,
        },
    message:
        "Train {RECTIFIED}, seed {wildcards.seed}"
    script:
        step("training/train_rectified.py")


PAPER += weights_of(TRAINED) + errors_of(TRAINED)
