# Attacks of other libraries beside ours. A target of its own: it needs the extra
# `crosscheck`, and its times differ from run to run.
BASELINES = f"{RESULTS}/baselines"
BASELINES_SEED = CFG.seeds[0]
DENSE = [m for m in ("FC100-100-10", "FC200-200-10") if m in MODELS]
DENSE = [*(DENSE or list(MODELS)[:1]), RECTIFIED]
LINEAR = [name for name, row in MODELS.items() if row.family == "linear"]
CONVOLUTIONAL_COMPARED = [
    m for m in ("alexnet-mnist", "alexnet-cifar10") if m in CONVOLUTIONAL
]
# A run for other images compares attacks on the networks for these images only.
if OTHER_DATA and "alexnet-mnist" not in CONVOLUTIONAL:
    DENSE, LINEAR = [], []
ATTACKED_BY_ALL = DENSE + CONVOLUTIONAL_COMPARED
# Slow attacks that no requirement on convolutional networks needs.
LEFT_OUT = ["minimal-2", "scipy", "botorch", "carlini-wagner", "brendel-bethge-300"]
LEFT_OUT += ["alma-1000", "fmn-1000", "superdeepfool", "deepfool"]
# Small enough that its exact optima are known.
POOLED = {
    "network": {
        "channels": 3,
        "recipe": {"learning_rate": 1e-2, "epochs": 4, "batch": 100, "warmup": 0.1},
    },
    "names": ["minimal-1", "minimal-8", "minimal-64", "lbfgs", "carlini-wagner"]
    + ["brendel-bethge-300", "pdgd-2000", "ddn-1000"],
    "count": min(32, CFG.attack.sample),
}
CRITERIA = ("targeted", "untargeted")


def with_seed(model):
    if model in CONVOLUTIONAL or model == RECTIFIED:
        return model, BASELINES_SEED
    return model, sheets.seeds_of(MODELS[model], [BASELINES_SEED])[0]


def attacked_weights(wildcards):
    return weights_of([with_seed(wildcards.network)])[0]


def clean_images(wildcards):
    """File of adversarial images whose clean images networks for these data share."""
    data = data_of(wildcards.network)
    first = next(m for m in ATTACKED_BY_ALL if data_of(m) == data)
    return images_of(sheets.FINEST, [with_seed(first)])[0]


def compared_settings(wildcards):
    convolutional = wildcards.network in CONVOLUTIONAL
    return {
        "count": min(64, CFG.attack.sample) if convolutional else CFG.attack.sample,
        "rounds": 1 if convolutional else 4,
        "left_out": LEFT_OUT if convolutional else [],
        "seed": BASELINES_SEED,
        "threads": CFG.attack.threads,
    }


def each_criterion(networks):
    """Every network with every criterion of success."""
    return [(network, criterion) for network in networks for criterion in CRITERIA]


def compared_files(networks):
    return [f"{BASELINES}/{m}-{c}.parquet" for m, c in each_criterion(networks)]


rule peers:
    input:
        # The tables are in git: without the records there would be nothing to do.
        compared_files(ATTACKED_BY_ALL),
        f"{RESULTS}/tables/peers.md",
        f"{RESULTS}/tables/peers-requirements.md",
        [f"{RESULTS}/tables/peers-pooling.md"] if DENSE else [],
        f"{RESULTS}/figures/peers.png",


rule attack_baselines:
    input:
        weights=attacked_weights,
        images=clean_images,
    output:
        f"{BASELINES}/{{network}}-{{criterion}}.parquet",
    wildcard_constraints:
        network=any_of(ATTACKED_BY_ALL),
        criterion=any_of(CRITERIA),
    resources:
        runtime=30,
    params:
        settings=compared_settings,
    message:
        "Compare attacks on {wildcards.network}, {wildcards.criterion}"
    script:
        step("baselines/attack_baselines.py")


rule attack_exact:
    input:
        weights=attacked_weights,
        images=clean_images,
    output:
        f"{BASELINES}/exact/{{network}}-{{criterion}}.parquet",
    wildcard_constraints:
        network=any_of(LINEAR),
        criterion=any_of(CRITERIA),
    params:
        settings=compared_settings,
    message:
        "Exact optima of {wildcards.network}, {wildcards.criterion}"
    script:
        step("baselines/attack_exact.py")


rule table_peers:
    input:
        records=compared_files(ATTACKED_BY_ALL),
    output:
        **table("peers", "Attacks compared"),
        **figure("peers", "Distortion against cost"),
    params:
        settings={"names": list(map(":".join, each_criterion(ATTACKED_BY_ALL)))},
    message:
        "Success, distortion and cost of every attack"
    script:
        step("baselines/table_peers.py")


rule table_requirements:
    input:
        dense=compared_files(DENSE),
        convolutional=compared_files(CONVOLUTIONAL_COMPARED),
        exact=[f"{BASELINES}/exact/{m}-{c}.parquet" for m, c in each_criterion(LINEAR)],
    output:
        **table("peers-requirements", "Requirements on the attacks"),
    params:
        settings={
            "dense": list(map(":".join, each_criterion(DENSE))),
            "convolutional": list(
                map(":".join, each_criterion(CONVOLUTIONAL_COMPARED))
            ),
            "exact": list(map(":".join, each_criterion(LINEAR))),
        },
    message:
        "What is required of the attacks, and what is measured"
    script:
        step("baselines/table_requirements.py")


rule table_pooling:
    input:
        train=f"{MNIST}/train.safetensors",
    output:
        **table("peers-pooling", "Where attacks end behind max-pooling"),
    resources:
        runtime=20,
    params:
        settings={**POOLED, "seed": BASELINES_SEED, "threads": CFG.attack.threads},
    message:
        "Where attacks end behind max-pooling"
    script:
        step("baselines/table_pooling.py")
