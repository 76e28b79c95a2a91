# Other people's attacks beside ours. A target of its own: it needs the extra
# `crosscheck`, and its times are other ones in every run.
RELU = "ReLU100-100-10"
PEER_NETWORKS = [m for m in ("FC100-100-10", "FC200-200-10") if m in MODELS] or list(
    MODELS
)[:1]
PEERS_SEED = CFG.seeds[0]
LINEAR = [name for name, model in MODELS.items() if model.family == "linear"]
GOALS = ("targeted", "untargeted")
PEERS = f"{RESULTS}/peers"


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
        weights=f"{PEERS}/{RELU}.safetensors",
    log:
        f"{RESULTS}/logs/train_relu.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_relu.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings={
            "model": RELU,
            "sizes": [784, 100, 100, 10],
            "epochs": 12,
            "seed": PEERS_SEED,
            "threads": CFG.train.threads,
        },
        code=digest("baselines/train_relu.py"),
    message:
        "Train {RELU} for the comparison of attacks"
    script:
        step("baselines/train_relu.py")


def compared_weights(wildcards):
    if wildcards.network == RELU:
        return rules.train_relu.output.weights
    model = wildcards.network
    return f"{RESULTS}/models/{model}/{seed_of(model)}.safetensors"


def seed_of(model):
    return sheets.seeds_of(MODELS[model], [PEERS_SEED])[0]


rule attack_peers:
    input:
        weights=compared_weights,
        # Of one network, for its clean images: they are the same for all.
        images=f"{RESULTS}/adversarial/lbfgs/{PEER_NETWORKS[0]}/{seed_of(PEER_NETWORKS[0])}.safetensors",
    output:
        f"{PEERS}/{{network}}-{{goal}}.parquet",
    log:
        f"{RESULTS}/logs/attack_peers/{{network}}-{{goal}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_peers/{{network}}-{{goal}}.tsv"
    wildcard_constraints:
        network="|".join(map(re.escape, [*PEER_NETWORKS, RELU])),
        goal="|".join(GOALS),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings={
            "count": CFG.attack.sample,
            "seed": PEERS_SEED,
            "threads": CFG.attack.threads,
        },
        code=digest("baselines/attack_baselines.py"),
    message:
        "Compare attacks on {wildcards.network}, {wildcards.goal}"
    script:
        step("baselines/attack_baselines.py")


rule attack_exact:
    input:
        weights=compared_weights,
        images=rules.attack_peers.input.images,
    output:
        f"{PEERS}/exact/{{network}}-{{goal}}.parquet",
    log:
        f"{RESULTS}/logs/attack_exact/{{network}}-{{goal}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_exact/{{network}}-{{goal}}.tsv"
    wildcard_constraints:
        network="|".join(map(re.escape, LINEAR)) or "none",
        goal="|".join(GOALS),
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings=rules.attack_peers.params.settings,
        code=digest("baselines/attack_exact.py"),
    message:
        "Exact optima of {wildcards.network}, {wildcards.goal}"
    script:
        step("baselines/attack_exact.py")


rule table_peers:
    input:
        records=[
            f"{PEERS}/{m}-{g}.parquet" for m in [*PEER_NETWORKS, RELU] for g in GOALS
        ],
    output:
        csv=f"{RESULTS}/tables/peers.csv",
        md=f"{RESULTS}/tables/peers.md",
        tex=f"{RESULTS}/tables/peers.tex",
        html=f"{RESULTS}/tables/peers.html",
    log:
        f"{RESULTS}/logs/table_peers.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_peers.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"names": [f"{m}:{g}" for m in [*PEER_NETWORKS, RELU] for g in GOALS]},
        code=digest("baselines/table_peers.py"),
    message:
        "Success, distortion and cost of every attack"
    script:
        step("baselines/table_peers.py")


rule table_requirements:
    input:
        compared=rules.table_peers.input.records,
        exact=[f"{PEERS}/exact/{m}-{g}.parquet" for m in LINEAR for g in GOALS],
    output:
        csv=f"{RESULTS}/tables/peers-requirements.csv",
        md=f"{RESULTS}/tables/peers-requirements.md",
        tex=f"{RESULTS}/tables/peers-requirements.tex",
        html=f"{RESULTS}/tables/peers-requirements.html",
    log:
        f"{RESULTS}/logs/table_requirements.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_requirements.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={
            "compared": rules.table_peers.params.settings["names"],
            "exact": [f"{m}:{g}" for m in LINEAR for g in GOALS],
        },
        code=digest("baselines/table_requirements.py"),
    message:
        "What was asked of the attacks, and what is measured"
    script:
        step("baselines/table_requirements.py")


rule figure_peers:
    input:
        table=rules.table_peers.output.csv,
    output:
        png=f"{RESULTS}/figures/peers.png",
        svg=f"{RESULTS}/figures/peers.svg",
        pdf=f"{RESULTS}/figures/peers.pdf",
    log:
        f"{RESULTS}/logs/figure_peers.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_peers.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=digest("baselines/figure_peers.py"),
    message:
        "Distortion against cost"
    script:
        step("baselines/figure_peers.py")
