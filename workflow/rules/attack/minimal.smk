# Beyond the paper: minimal perturbations of the same images to the same targets.
MINIMAL_STARTS = 8


rule attack_minimal:
    input:
        weights=network_of_images,
        images=f"{RESULTS}/adversarial/{sheets.FINEST}/{{model}}/{{seed}}.safetensors",
    output:
        images=f"{RESULTS}/adversarial/minimal/{{model}}/{{seed}}.safetensors",
        records=f"{RESULTS}/adversarial/minimal/{{model}}/{{seed}}.parquet",
    params:
        settings={"starts": MINIMAL_STARTS, "seed": 0, "threads": CFG.attack.threads},
    message:
        "Minimal perturbations for {wildcards.model}, seed {wildcards.seed}"
    script:
        step("attack/attack_minimal.py")


rule table_minimal:
    input:
        minimal=records_of("minimal", DRAWN),
        lbfgs=records_of(sheets.FINEST, DRAWN),
        published=PUBLISHED,
    output:
        **table("minimal", "Minimal perturbations"),
    params:
        settings={"networks": DRAWN},
    message:
        "Minimal perturbations beside those of the paper's method"
    script:
        step("attack/table_minimal.py")


EVERYTHING += images_of("minimal", DRAWN) + records_of("minimal", DRAWN)
EVERYTHING += rules.table_minimal.output
