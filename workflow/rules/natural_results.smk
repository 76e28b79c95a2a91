def triples_images(wildcards):
    models = ALIKE[wildcards.data]
    return [attacked_natural(m, kind)[0] for kind in TARGETS for m in models]


def triples_settings(wildcards):
    return {
        "networks": ALIKE[wildcards.data],
        "attacks": list(TARGETS),
        "data": wildcards.data,
        "rows": 4,
        "width": 3.6 * max(len(ALIKE[wildcards.data]), 1),
        "threads": CFG.attack.threads,
    }


rule table_natural:
    input:
        counts=[f"{RESULTS}/training/{m}/0.json" for m in NATURAL_NETWORKS],
        answers=[f"{RESULTS}/transfer/{data}.parquet" for data in ALIKE],
        known="data/natural.tsv",
    output:
        **{
            f"natural_{form}": f"{RESULTS}/tables/natural.{form}"
            for form in ("csv", "md", "tex")
        },
        **{
            f"transfer_{form}": f"{RESULTS}/tables/natural-transfer.{form}"
            for form in ("csv", "md", "tex")
        },
        natural_html=report(
            f"{RESULTS}/tables/natural.html",
            caption="../report/table-natural.rst",
            category="Tables",
            labels={"table": "Natural images", "paper": "Figure 5"},
        ),
        transfer_html=report(
            f"{RESULTS}/tables/natural-transfer.html",
            caption="../report/table-natural-transfer.rst",
            category="Tables",
            labels={"table": "Transfer of photographs", "paper": "Figure 5"},
        ),
    log:
        f"{RESULTS}/logs/table_natural.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_natural.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"networks": NATURAL_NETWORKS},
        code=digest("natural/table_natural.py"),
    message:
        "Figure 5 in numbers"
    script:
        step("natural/table_natural.py")


rule figure_triples:
    input:
        weights=alike_weights,
        images=triples_images,
    output:
        png=f"{RESULTS}/figures/triples-{{data}}.png",
        svg=report(
            f"{RESULTS}/figures/triples-{{data}}.svg",
            caption="../report/figure-triples.rst",
            category="Figures",
            labels={"figure": "Adversarial images: {data}", "paper": "Figure 5"},
        ),
        pdf=f"{RESULTS}/figures/triples-{{data}}.pdf",
    log:
        f"{RESULTS}/logs/figure_triples/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_triples/{{data}}.tsv"
    wildcard_constraints:
        data="|".join(map(re.escape, ALIKE)),
    threads: 1
    resources:
        mem_mb=3000,
        runtime=5,
    params:
        settings=triples_settings,
        code=digest("natural/figure_triples.py"),
    message:
        "Figure 5: {wildcards.data}, difference and adversarial image"
    script:
        step("natural/figure_triples.py")
