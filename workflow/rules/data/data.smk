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
        params:
            settings=IMAGE_COUNTS,
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
        params:
            settings=IMAGE_COUNTS,
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
    params:
        settings={"seed": CFG.data.split_seed},
    message:
        "Split the training images into P1 and P2"
    script:
        step("data/splits.py")


rule datasets:
    output:
        train=f"{RESULTS}/data/{{data}}/train.safetensors",
        test=f"{RESULTS}/data/{{data}}/test.safetensors",
    wildcard_constraints:
        data=any_of(OTHER_DATA),
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        settings=dataset_settings,
    message:
        "Read the images {wildcards.data}"
    script:
        step("data/datasets.py")


PAPER += [f"{MNIST}/train.safetensors", f"{MNIST}/test.safetensors"]
PAPER += rules.splits.output
