# The paper suggests to penalise each layer's bound. Methods as in bounds/penalties.py,
# whose import would cost every plan the time of importing torch.
PENALTIES = ["decay", "product", "spectral", "eclipse"]


rule train_penalised:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        f"{BOUNDS}/penalties/{{method}}.parquet",
    wildcard_constraints:
        method=any_of(PENALTIES),
    resources:
        runtime=30,
    params:
        settings={
            "seeds": CFG.seeds,
            "subset": CFG.train.subset,
            "images": CFG.bounds.images,
            "threads": CFG.train.threads,
        },
    message:
        "Networks trained with the penalty {wildcards.method}"
    script:
        step("bounds/train_penalised.py")


rule table_penalties:
    input:
        records=[f"{BOUNDS}/penalties/{method}.parquet" for method in PENALTIES],
    output:
        **table("penalties", "Training with a penalty on a bound"),
        **figure("penalties", "Training with a penalty on a bound"),
    message:
        "What a penalty on a bound buys at equal test error"
    script:
        step("bounds/table_penalties.py")


EVERYTHING += rules.table_penalties.output
