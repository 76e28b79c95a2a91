# A page that computes in the browser: the paper's networks, those of the same
# architectures trained on splits, and images made for the former.
SOURCES = {name: sheets.seeds_of(row, CFG.seeds)[0] for name, row in MODELS.items()}
ARCHITECTURES = {row.hidden for row in MODELS.values()}
EXPLORED = SOURCES | {
    name: sheets.seeds_of(row, CFG.seeds)[0]
    for name, row in COMPARED.items()
    if row.hidden in ARCHITECTURES
}


rule explorer:
    input:
        weights=weights_of(EXPLORED.items()),
        lbfgs=images_of(sheets.FINEST, SOURCES.items()),
        minimal=images_of("minimal", SOURCES.items()),
        template="workflow/report/explore.html",
        style="workflow/report/page.css",
    output:
        f"{RESULTS}/explore.html",
    params:
        settings={
            "networks": list(EXPLORED),
            "sources": list(SOURCES),
            "targets": 2,
            "threads": CFG.attack.threads,
        },
    message:
        "Write the page on which a reader changes perturbations"
    script:
        step("transfer/explorer.py")


if SOURCES:
    EVERYTHING += rules.explorer.output
