ATTACKS = checked(sheets.read_attacks, CFG.attacks, MODELS)
# The attacks on the open choices are for the paper's own networks.
ATTACKED = checked(sheets.attacked, ATTACKS, MODELS, CFG)
SEARCH = {"starts", "tolerance", "iterations", "threads"}
# The networks of the paper's Figure 7, or others where the sheet lacks them.
EXAMPLES = [m for m in ("FC10-1e-4", "FC200-200-10") if m in MODELS] or list(MODELS)[:2]
EXAMPLES = [(m, sheets.seeds_of(MODELS[m], CFG.seeds)[0]) for m in EXAMPLES]


def attacked_images(wildcards):
    """Training images; test images where networks trained on splits are compared."""
    kind = "test" if wildcards.model in ON_SPLITS else "train"
    return f"{RESULTS}/data/{data_of(wildcards.model)}/{kind}.safetensors"


def finest_records(wildcards):
    """Records of the fine search, which the coarser ones start from."""
    if ATTACKS[wildcards.attack].search == "refine":
        return []
    return records_of(sheets.FINEST, [(wildcards.model, wildcards.seed)])[0]


def attack_settings(wildcards):
    """Row of the attack, how many images, and the search."""
    row, model = ATTACKS[wildcards.attack], wildcards.model
    images = sheets.image_count(row.images, CFG.attack)
    search = CFG.attack.model_dump(mode="json", include=SEARCH)
    if model in ON_SPLITS:
        images = CFG.training_sets.images
    if model in CONVOLUTIONAL:
        own = CONVOLUTIONAL[model]
        images = sheets.image_count(own.attacked, CFG.attack)
        search |= own.model_dump(include={"tolerance", "iterations"})
    how = {"method", "norm", "search", "target"}
    return {"row": row.model_dump(include=how), "images": images, **search}


rule attack:
    input:
        weights=network_of_images,
        images=attacked_images,
        finest=finest_records,
    output:
        images=f"{RESULTS}/adversarial/{{attack}}/{{model}}/{{seed}}.safetensors",
        records=f"{RESULTS}/adversarial/{{attack}}/{{model}}/{{seed}}.parquet",
    wildcard_constraints:
        attack=any_of(ATTACKS),
    resources:
        runtime=20,
    params:
        settings=attack_settings,
    message:
        "Attack {wildcards.model}, seed {wildcards.seed}: {wildcards.attack}"
    script:
        step("attack/attack.py")


rule table_models:
    input:
        errors=errors_of(TRAINED),
        records=records_of(sheets.FINEST, DRAWN),
        published=PUBLISHED,
    output:
        **table("models", "Networks: errors and distortion", "Table 1"),
        claims=f"{RESULTS}/claims/attack.json",
    params:
        settings={
            "networks": TRAINED,
            "attacked": DRAWN,
            # Recipes have a learning rate; L-BFGS to convergence has nothing to select.
            "selected": [name for name, row in MODELS.items() if row.learning_rate],
        },
    message:
        "Table 1: errors and distortions of the networks"
    script:
        step("attack/table_models.py")


rule table_choices:
    input:
        records=[path for a, *n in ATTACKED for path in records_of(a, [n])],
        published=PUBLISHED,
    output:
        **table("choices", "What open choices do to the distortion", "Table 1"),
    params:
        settings={
            "jobs": [tuple(job) for job in ATTACKED],
            "reference": sheets.FINEST,
            "sample": CFG.attack.sample,
        },
    message:
        "What the paper's open choices do to the mean distortion"
    script:
        step("attack/table_choices.py")


def complete_attacks():
    """First seeds of the attacks that all of the paper's networks have."""
    firsts = [job for job in ATTACKED if job.seed == CFG.seeds[0]]
    have = {a: {j.model for j in firsts if j.attack == a} for a in ATTACKS}
    return [job for job in firsts if have[job.attack] == have[sheets.FINEST]]


LINEAR = [name for name, row in MODELS.items() if row.family == "linear"]
READ = complete_attacks()


rule table_readings:
    input:
        records=[path for a, *n in READ for path in records_of(a, [n])],
        published=PUBLISHED,
    output:
        **table(
            "readings", "Readings of the paper, judged by its distortions", "Table 1"
        ),
    params:
        settings={
            "jobs": [tuple(job) for job in READ],
            "linear": LINEAR,
            "sample": CFG.attack.sample,
        },
    message:
        "Which reading of the paper its distortions support"
    script:
        step("attack/table_readings.py")


rule figure_readings:
    input:
        table=rules.table_readings.output.readings,
        published=PUBLISHED,
    output:
        **figure("readings", "Readings of the paper", "Table 1"),
    params:
        settings={"linear": LINEAR},
    message:
        "Measured over printed distortions, by reading of the paper"
    script:
        step("attack/figure_readings.py")


rule figure_examples:
    input:
        weights=weights_of(EXAMPLES),
        images=images_of(sheets.FINEST, EXAMPLES),
    output:
        **figure("examples", "Adversarial and noisy digits", "Figure 7"),
    priority: 5
    params:
        settings={
            "networks": [model for model, _ in EXAMPLES],
            "deviation": 1.0,
            "seed": CFG.seeds[0],
            "threads": CFG.attack.threads,
        },
    message:
        "Figure 7: digits before and after the attack, and with noise"
    script:
        step("attack/figure_examples.py")


rule figure_distortions:
    input:
        records=records_of(sheets.FINEST, DRAWN),
        table=rules.table_models.output.models,
    output:
        **figure("distortions", "Distribution of distortions", "Table 1"),
    params:
        # The seeds are for the caption.
        settings={"networks": DRAWN, "seeds": list(CFG.seeds)},
    message:
        "How the smallest distortions are spread over images"
    script:
        step("attack/figure_distortions.py")


for attack, *network in [*ATTACKED, *((sheets.FINEST, *n) for n in CONVOLUTED)]:
    PAPER += images_of(attack, [network]) + records_of(attack, [network])
PAPER += [*rules.table_models.output, *rules.table_choices.output]
# Linear networks judge the paper's numbers, and the others are held out.
if LINEAR and len(MODELS) > len(LINEAR) and not CFG.data.folder:
    PAPER += [*rules.table_readings.output, *rules.figure_readings.output]
PAPER += [*rules.figure_examples.output, *rules.figure_distortions.output]
CLAIM_FILES.append(rules.table_models.output.claims)
METRIC_TABLES += [rules.table_models.output.models, rules.table_choices.output.choices]
PRINTED_TABLES.append(rules.table_models.output.models)
PRINTED_ATTACKS += [("models", *network) for network in DRAWN]


include: "box_constraint.smk"
include: "minimal.smk"
