# Of each figure of top images: the network, the layers shown, by their places, and the
# images of a row. Figures 1 and 2, and with pretrained networks 3 and 4.
SQUEEZENET_LAYERS = {
    "squeezenet1_0": ("1.features.6", "1.features.11", "1.features.12"),
    "squeezenet1_1": ("1.features.5", "1.features.8", "1.features.12"),
}
TOP_IMAGES = {
    "top-images": {
        "network": CONVOLUTED[0],
        "layers": {"2": "first pool", "12": "last pool", "17": "last hidden layer"},
        "columns": 10,
    }
}
TOP_IMAGES |= {
    f"top-images-{name}": {
        "network": (model, 0),
        "layers": dict(zip(SQUEEZENET_LAYERS[name], ("early", "middle", "last"))),
        "columns": 5,
    }
    for model, name in PRETRAINED.items()
    if name in SQUEEZENET_LAYERS
}


def top_images_inputs(wildcards):
    network = TOP_IMAGES[wildcards.figure]["network"]
    return {"weights": weights_of([network]), "images": held_out_images(network[0])}


def top_images_settings(wildcards):
    shown = {key: TOP_IMAGES[wildcards.figure][key] for key in ("layers", "columns")}
    seeds = {"seed": CFG.seeds[0], "threads": CFG.train.threads}
    return {**shown, **seeds, "rows": 4, "width": 9.0}


rule figure_directions:
    input:
        unpack(top_images_inputs),
    output:
        **figure(
            "{figure}", "{figure}: units and directions", "Figures 1-4", "directions"
        ),
    log:
        f"{RESULTS}/logs/figure_directions/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_directions/{{figure}}.tsv"
    wildcard_constraints:
        figure=any_of(TOP_IMAGES),
    resources:
        mem_mb=6000,
    params:
        settings=top_images_settings,
        code=digest("units/figure_directions.py"),
    message:
        "Images that units and random directions rank first: {wildcards.figure}"
    script:
        step("units/figure_directions.py")


for name in TOP_IMAGES:
    target = PAPER if name == "top-images" else NATURAL
    target += [f"{RESULTS}/figures/{name}.{form}" for form in FIGURE_FORMS]
