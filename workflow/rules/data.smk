rule digits:
    input:
        checksums="data/checksums.tsv",
    output:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    log:
        f"{RESULTS}/logs/digits.log",
    benchmark:
        f"{RESULTS}/benchmarks/digits.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        settings=settings.digits_settings(CFG),
        code=digest("data/mnist.py"),
    message:
        "Fetch and verify MNIST"
    script:
        step("data/mnist.py")


rule halves:
    input:
        train=f"{MNIST}/train.safetensors",
    output:
        P1=f"{MNIST}/P1.txt",
        P2=f"{MNIST}/P2.txt",
    log:
        f"{RESULTS}/logs/halves.log",
    benchmark:
        f"{RESULTS}/benchmarks/halves.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"split_seed": CFG.data.split_seed},
        code=digest("data/splits.py"),
    message:
        "Cut the training images into P1 and P2"
    script:
        step("data/splits.py")
