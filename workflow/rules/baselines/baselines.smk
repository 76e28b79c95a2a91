# Attacks of other libraries beside ours. A target of its own: it needs the extra
# `crosscheck`, and its times differ from run to run.
RELU = "ReLU100-100-10"
BASELINES = f"{RESULTS}/baselines"
BASELINES_SEED = CFG.seeds[0]
ATTACKED_BY_ALL = [m for m in ("FC100-100-10", "FC200-200-10") if m in MODELS]
ATTACKED_BY_ALL = [*(ATTACKED_BY_ALL or list(MODELS)[:1]), RELU]
LINEAR = [name for name, row in MODELS.items() if row.family == "linear"]
KINDS_OF_ATTACK = ("targeted", "untargeted")


def with_seed(model):
    return model, sheets.seeds_of(MODELS[model], [BASELINES_SEED])[0]


def attacked_weights(wildcards):
    if wildcards.network == RELU:
        return rules.train_relu.output.weights
    return weights_of([with_seed(wildcards.network)])


def each_attack(networks):
    """Every network with every kind of attack."""
    return [(network, kind) for network in networks for kind in KINDS_OF_ATTACK]


rule peers:
    input:
        f"{RESULTS}/tables/peers.md",
        f"{RESULTS}/tables/peers-requirements.md",
        f"{RESULTS}/figures/peers.png",


rule train_relu:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        weights=f"{BASELINES}/{RELU}.safetensors",
    log:
        f"{RESULTS}/logs/train_relu.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_relu.tsv"
    params:
        settings={
            "model": RELU,
            "sizes": [784, 100, 100, 10],
            "epochs": 12,
            "seed": BASELINES_SEED,
            "threads": CFG.train.threads,
        },
        code=digest("baselines/train_relu.py"),
    message:
        "Train {RELU} for the comparison of attacks"
    script:
        step("baselines/train_relu.py")


rule attack_baselines:
    input:
        weights=attacked_weights,
        # Of one network, for its clean images: they are the same for all.
        images=images_of(sheets.FINEST, [with_seed(ATTACKED_BY_ALL[0])]),
    output:
        f"{BASELINES}/{{network}}-{{kind}}.parquet",
    log:
        f"{RESULTS}/logs/attack_baselines/{{network}}-{{kind}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_baselines/{{network}}-{{kind}}.tsv"
    wildcard_constraints:
        network=any_of(ATTACKED_BY_ALL),
        kind=any_of(KINDS_OF_ATTACK),
    resources:
        runtime=30,
    params:
        settings={
            "count": CFG.attack.sample,
            "seed": BASELINES_SEED,
            "threads": CFG.attack.threads,
        },
        code=digest("baselines/attack_baselines.py"),
    message:
        "Compare attacks on {wildcards.network}, {wildcards.kind}"
    script:
        step("baselines/attack_baselines.py")


rule attack_exact:
    input:
        weights=attacked_weights,
        images=rules.attack_baselines.input.images,
    output:
        f"{BASELINES}/exact/{{network}}-{{kind}}.parquet",
    log:
        f"{RESULTS}/logs/attack_exact/{{network}}-{{kind}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_exact/{{network}}-{{kind}}.tsv"
    wildcard_constraints:
        network=any_of(LINEAR),
        kind=any_of(KINDS_OF_ATTACK),
    params:
        settings=rules.attack_baselines.params.settings,
        code=digest("baselines/attack_exact.py"),
    message:
        "Exact optima of {wildcards.network}, {wildcards.kind}"
    script:
        step("baselines/attack_exact.py")


rule table_peers:
    input:
        records=[
            f"{BASELINES}/{m}-{k}.parquet" for m, k in each_attack(ATTACKED_BY_ALL)
        ],
    output:
        **table("peers", "Attacks compared"),
    log:
        f"{RESULTS}/logs/table_peers.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_peers.tsv"
    params:
        settings={"names": [f"{m}:{k}" for m, k in each_attack(ATTACKED_BY_ALL)]},
        code=digest("baselines/table_peers.py"),
    message:
        "Success, distortion and cost of every attack"
    script:
        step("baselines/table_peers.py")


rule table_requirements:
    input:
        compared=rules.table_peers.input.records,
        exact=[f"{BASELINES}/exact/{m}-{k}.parquet" for m, k in each_attack(LINEAR)],
    output:
        **table("peers-requirements", "Requirements on the attacks"),
    log:
        f"{RESULTS}/logs/table_requirements.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_requirements.tsv"
    params:
        settings={
            "compared": rules.table_peers.params.settings["names"],
            "exact": [f"{m}:{k}" for m, k in each_attack(LINEAR)],
        },
        code=digest("baselines/table_requirements.py"),
    message:
        "What is required of the attacks, and what is measured"
    script:
        step("baselines/table_requirements.py")


rule figure_peers:
    input:
        table=rules.table_peers.output.peers,
    output:
        **figure("peers", "Distortion against cost"),
    log:
        f"{RESULTS}/logs/figure_peers.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_peers.tsv"
    params:
        code=digest("baselines/figure_peers.py"),
    message:
        "Distortion against cost"
    script:
        step("baselines/figure_peers.py")
