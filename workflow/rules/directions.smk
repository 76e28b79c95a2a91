# Figures 1 and 2, and by natural.smk 3 and 4: network, images, and by their places the
# layers that are shown.
DIRECTED = {
    "top-images": {
        "network": CONVOLUTED[0],
        "images": f"{MNIST}/test.safetensors",
        "layers": {"2": "first pool", "12": "last pool", "17": "last hidden layer"},
        "columns": 10,
    }
}


def directed_inputs(wildcards):
    shown = DIRECTED[wildcards.shown]
    model, seed = shown["network"]
    weights = f"{RESULTS}/models/{model}/{seed}.safetensors"
    return {"weights": weights, "images": shown["images"]}


def directed_settings(wildcards):
    taken = {key: DIRECTED[wildcards.shown][key] for key in ("layers", "columns")}
    seeds = {"seed": CFG.seeds[0], "threads": CFG.train.threads}
    return {**taken, **seeds, "rows": 4, "width": 9.0}


rule figure_directions:
    input:
        unpack(directed_inputs),
    output:
        png=f"{RESULTS}/figures/{{shown}}.png",
        svg=report(
            f"{RESULTS}/figures/{{shown}}.svg",
            caption="../report/figure-directions.rst",
            category="Figures",
            labels={"figure": "{shown}: units and directions", "paper": "Figures 1-4"},
        ),
        pdf=f"{RESULTS}/figures/{{shown}}.pdf",
    log:
        f"{RESULTS}/logs/figure_directions/{{shown}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_directions/{{shown}}.tsv"
    wildcard_constraints:
        shown=r"top-images(-[\w-]+)?",
    threads: 1
    resources:
        mem_mb=6000,
        runtime=10,
    params:
        settings=directed_settings,
        code=digest("units/figure_directions.py"),
    message:
        "Images that units and random directions rank first: {wildcards.shown}"
    script:
        step("units/figure_directions.py")
