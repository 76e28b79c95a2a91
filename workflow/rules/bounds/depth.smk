# How bounds of the Lipschitz constant grow with the number of hidden layers.

PROOFS = [f"{BOUNDS}/compact-proofs/{depth}.parquet" for depth in CFG.bounds.depths]


rule constants_by_depth:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        constants=f"{BOUNDS}/depth/{{depth}}.parquet",
        proofs=f"{BOUNDS}/compact-proofs/{{depth}}.parquet",
    wildcard_constraints:
        depth=r"\d+",
    params:
        settings={
            "seeds": CFG.seeds,
            "subset": CFG.train.subset,
            "threads": CFG.train.threads,
        },
    message:
        "Lipschitz constants of networks of {wildcards.depth} hidden layers"
    script:
        step("bounds/constants_by_depth.py")


rule table_depth:
    input:
        records=[f"{BOUNDS}/depth/{depth}.parquet" for depth in CFG.bounds.depths],
    output:
        **table("depth", "Lipschitz constants by depth"),
        **figure("depth", "Lipschitz constants by depth"),
    message:
        "Lipschitz constants by the number of hidden layers"
    script:
        step("bounds/table_depth.py")


rule table_compact_proofs:
    input:
        records=PROOFS,
    output:
        **table("compact-proofs", "Length and tightness of proofs"),
        **figure("compact-proofs", "Length and tightness of proofs"),
    message:
        "Length and tightness of proofs of Lipschitz constants"
    script:
        step("bounds/table_compact_proofs.py")


EVERYTHING += [*rules.table_depth.output, *rules.table_compact_proofs.output]
