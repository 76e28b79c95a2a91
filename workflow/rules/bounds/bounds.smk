# Certified distances and Lipschitz constants of the fully connected networks, of the
# first seed each, and of one with rectified units.
BOUNDS = f"{RESULTS}/bounds"
BOUNDED = {name: sheets.seeds_of(row, CFG.seeds)[0] for name, row in MODELS.items()}
BOUNDED[RECTIFIED] = CFG.seeds[0]


WIDE = 250


def certified_count(name):
    """Fewer for wide networks: the cost of a program grows with the cube of units."""
    wide = name in MODELS and sum(MODELS[name].hidden) > WIDE
    return CFG.bounds.wide_images if wide else CFG.bounds.images


CERTIFIED = [name for name in BOUNDED if certified_count(name)]


def certified_images(wildcards):
    count = certified_count(wildcards.network)
    return {"images": count, "threads": CFG.attack.threads}


def bounded_weights(wildcards):
    return weights_of([(wildcards.network, BOUNDED[wildcards.network])])[0]


rule certify_network:
    input:
        weights=bounded_weights,
        test=f"{MNIST}/test.safetensors",
    output:
        records=f"{BOUNDS}/certified/{{network}}.parquet",
        certificates=f"{BOUNDS}/certified/{{network}}.safetensors",
    wildcard_constraints:
        network=any_of(CERTIFIED),
    resources:
        runtime=60,
    params:
        settings=certified_images,
    message:
        "Certified distances of {wildcards.network}"
    script:
        step("bounds/certify_network.py")


rule constants:
    input:
        weights=bounded_weights,
        test=f"{MNIST}/test.safetensors",
    output:
        f"{BOUNDS}/constants/{{network}}.json",
    wildcard_constraints:
        network=any_of(BOUNDED),
    params:
        settings={"seed": CFG.seeds[0], "threads": CFG.attack.threads},
    message:
        "Lipschitz constants of {wildcards.network} as a whole"
    script:
        step("bounds/constants.py")


rule table_certified:
    input:
        records=[f"{BOUNDS}/certified/{network}.parquet" for network in CERTIFIED],
    output:
        **table("certified", "Certified distances"),
        **figure("certified", "Certified against attacked distances"),
    params:
        settings={"networks": CERTIFIED},
    message:
        "Certified distances as shares of attacked distances"
    script:
        step("bounds/table_certified.py")


rule table_bounds:
    input:
        measured=[f"{BOUNDS}/constants/{network}.json" for network in BOUNDED],
    output:
        **table("bounds", "Lipschitz constants of networks"),
        **figure("waterfall", "Slack of the product of norms"),
    params:
        settings={"networks": [*BOUNDED]},
    message:
        "Lipschitz constants of whole networks, from above and from below"
    script:
        step("bounds/table_bounds.py")


EVERYTHING += [*rules.table_certified.output, *rules.table_bounds.output]


include: "depth.smk"
include: "heuristics.smk"
include: "penalties.smk"
include: "two_units.smk"
include: "verification.smk"
