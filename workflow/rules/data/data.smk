from intriguing.workflow import idx_folder

# Data sets that convolutional networks take beside MNIST.
OTHER_DATA = {row.data for row in CONVOLUTIONAL.values()} - {"mnist"}


def dataset_settings(wildcards):
    return {"name": wildcards.data, "size": convolutions.shape_of(wildcards.data)[1]}


# Not `mirror`, which reaches the step by the environment.
IMAGE_COUNTS = CFG.data.model_dump(include={"train_images", "test_images"})


def idx_inputs():
    """Files of the folder by name, so that a change of one is seen."""
    paths = checked(idx_folder.idx_paths, CFG.data.folder)
    return {f"{p}_{kind}": path for p, of in paths.items() for kind, path in of.items()}


if CFG.data.folder:

    rule idx_folder:
        input:
            **idx_inputs(),
        output:
            train=f"{MNIST}/train.safetensors",
            test=f"{MNIST}/test.safetensors",
        log:
            f"{RESULTS}/logs/idx_folder.log",
        benchmark:
            f"{RESULTS}/benchmarks/idx_folder.tsv"
        params:
            settings=IMAGE_COUNTS,
            code=digest("data/idx_folder.py"),
        message:
            "Read the images of {CFG.data.folder}"
        script:
            step("data/idx_folder.py")

else:

    rule mnist:
        input:
            checksums="data/checksums.tsv",
        output:
            train=f"{MNIST}/train.safetensors",
            test=f"{MNIST}/test.safetensors",
        log:
            f"{RESULTS}/logs/mnist.log",
        benchmark:
            f"{RESULTS}/benchmarks/mnist.tsv"
        params:
            settings=IMAGE_COUNTS,
            code=digest("data/mnist.py"),
        message:
            "Fetch and verify MNIST"
        script:
            step("data/mnist.py")


rule splits:
    input:
        train=f"{MNIST}/train.safetensors",
    output:
        P1=f"{MNIST}/P1.txt",
        P2=f"{MNIST}/P2.txt",
    log:
        f"{RESULTS}/logs/splits.log",
    benchmark:
        f"{RESULTS}/benchmarks/splits.tsv"
    params:
        settings={"seed": CFG.data.split_seed},
        code=digest("data/splits.py"),
    message:
        "Split the training images into P1 and P2"
    script:
        step("data/splits.py")


rule datasets:
    output:
        train=f"{RESULTS}/data/{{data}}/train.safetensors",
        test=f"{RESULTS}/data/{{data}}/test.safetensors",
    log:
        f"{RESULTS}/logs/datasets/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/datasets/{{data}}.tsv"
    wildcard_constraints:
        data=any_of(OTHER_DATA),
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        settings=dataset_settings,
        code=digest("data/datasets.py"),
    message:
        "Read the images {wildcards.data}"
    script:
        step("data/datasets.py")


PAPER += [f"{MNIST}/train.safetensors", f"{MNIST}/test.safetensors"]
PAPER += rules.splits.output
