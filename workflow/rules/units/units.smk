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
    wildcard_constraints:
        figure=any_of(TOP_IMAGES),
    resources:
        mem_mb=6000,
    params:
        settings=top_images_settings,
    message:
        "Images that units and random directions rank first: {wildcards.figure}"
    script:
        step("units/figure_directions.py")


for name in TOP_IMAGES:
    target = PAPER if name == "top-images" else NATURAL
    target += [f"{RESULTS}/figures/{name}.{form}" for form in FIGURE_FORMS]

# Selectivity of units against random rotations: networks that stand for the paper's,
# and two that show what makes a basis special.
UNIT_CONTROLS = ["rotated-ReLU100-100-10", "isotropic-tanh100-100-10"]
UNIT_SEEDS = {
    name: [seed for model, seed in [*TRAINED, *RECTIFIED_NETWORKS] if model == name]
    for name, _ in [*TRAINED, *RECTIFIED_NETWORKS]
    if name in ("alexnet-mnist", RECTIFIED)
    or name in MODELS
    and MODELS[name].family != "linear"
}
JUDGED_UNITS = list(UNIT_SEEDS)
UNIT_SEEDS |= {name: list(CFG.seeds) for name in UNIT_CONTROLS}
MEASURED_UNITS = [
    f"{RESULTS}/units/{name}/{seed}.parquet"
    for name, seeds in UNIT_SEEDS.items()
    for seed in seeds
]
UNIT_LABELS = {
    RECTIFIED: "ReLU",
    UNIT_CONTROLS[0]: "ReLU in a rotated basis",
    UNIT_CONTROLS[1]: "isotropic tanh",
}


def measured_network(wildcards):
    """Weights of a network; training images of one that the step trains itself."""
    name, seed = wildcards.network, wildcards.seed
    if name in UNIT_CONTROLS:
        return {"train": f"{MNIST}/train.safetensors"}
    return {"weights": f"{RESULTS}/models/{name}/{seed}.safetensors"}


rule measure_units:
    input:
        unpack(measured_network),
        test=f"{MNIST}/test.safetensors",
    output:
        f"{RESULTS}/units/{{network}}/{{seed}}.parquet",
    wildcard_constraints:
        network=any_of(UNIT_SEEDS),
    params:
        settings={**CFG.units.model_dump(mode="json"), "threads": CFG.train.threads},
    message:
        "Units and random rotations of {wildcards.network}, seed {wildcards.seed}"
    script:
        step("units/measure_units.py")


rule table_units:
    input:
        measured=MEASURED_UNITS,
    output:
        **table("units", "Units and random directions"),
        **claims_page("units", "Units and random directions"),
        **named_figure("units-path", "From units to a random rotation"),
        **named_figure("units-rotations", "Units among rotations"),
    params:
        settings={
            "networks": JUDGED_UNITS,
            "names": {name: UNIT_LABELS.get(name, name) for name in UNIT_SEEDS},
            "on_path": [*JUDGED_UNITS[:1], RECTIFIED, *UNIT_CONTROLS],
        },
    message:
        "Units against random rotations, and the claims"
    script:
        step("units/table_units.py")


rule figure_natural_basis:
    input:
        weights=weights_of(RECTIFIED_NETWORKS)[0],
        test=f"{MNIST}/test.safetensors",
    output:
        **figure("natural-basis", "The natural basis of a layer"),
    params:
        settings={
            "images": CFG.units.images,
            "columns": 7,
            "seed": CFG.seeds[0],
            "threads": CFG.train.threads,
        },
    message:
        "The natural basis of one layer"
    script:
        step("units/figure_natural_basis.py")


if MODELS and not PRETRAINED:
    EVERYTHING += weights_of(RECTIFIED_NETWORKS) + MEASURED_UNITS
    EVERYTHING += [*rules.table_units.output, *rules.figure_natural_basis.output]
