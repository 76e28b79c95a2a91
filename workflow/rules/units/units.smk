# Of each figure of top images: the network, the layers shown, by their places, and the
# images of a row. Figures 1 and 2, and with pretrained networks 3 and 4.
SQUEEZENET_LAYERS = {
    "squeezenet1_0": ("1.features.6", "1.features.11", "1.features.12"),
    "squeezenet1_1": ("1.features.5", "1.features.8", "1.features.12"),
}
MNIST_LAYERS = {"2": "first pool", "12": "last pool", "17": "last hidden layer"}
TOP_IMAGES = {"top-images": (CONVOLUTED[0], MNIST_LAYERS, 10)}
for model, name in PRETRAINED.items():
    if name in SQUEEZENET_LAYERS:
        shown = dict(zip(SQUEEZENET_LAYERS[name], ("early", "middle", "last")))
        TOP_IMAGES[f"top-images-{name}"] = ((model, 0), shown, 5)


def top_images_inputs(wildcards):
    network, _, _ = TOP_IMAGES[wildcards.figure]
    return {"weights": weights_of([network])[0], "images": held_out_images(network[0])}


def top_images_settings(wildcards):
    _, layers, columns = TOP_IMAGES[wildcards.figure]
    seeds = {"seed": CFG.seeds[0], "threads": CFG.train.threads}
    return {"layers": layers, "columns": columns, **seeds, "rows": 4, "width": 9.0}


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
