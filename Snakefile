from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


# Each target asks for every file that is kept: Snakemake does not miss one in the
# middle while the last one is there.
rule all:
    input:
        DIGITS,
        NETWORKS,
        ADVERSARIAL,
        TRANSFER,
        SPECTRA,
        TABLES,
        FIGURES,
        CLAIMS,
        SETS,


rule natural:
    input:
        NATURAL,


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/attack.smk"
include: "workflow/rules/transfer.smk"
include: "workflow/rules/spectra.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/training_sets.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/directions.smk"
include: "workflow/rules/minimal.smk"
include: "workflow/rules/check.smk"
include: "workflow/rules/decomposition.smk"
include: "workflow/rules/adversarial_training.smk"
include: "workflow/rules/peers.smk"
include: "workflow/rules/natural.smk"
include: "workflow/rules/figure5.smk"
include: "workflow/rules/natural_results.smk"


rule everything:
    input:
        rules.all.input,
        MINIMAL,
        DECOMPOSITION,
        ADVERSARIAL_TRAINING,
