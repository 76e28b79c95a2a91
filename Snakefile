from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")
# Before the config, whose absence would be the only complaint. Of a module the base
# folder is the caller's.
if not Path(workflow.basedir, "workflow/rules/common.smk").is_file():
    raise WorkflowError("This workflow cannot be a module of another; run it by itself")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data/data.smk"
include: "workflow/rules/training/training.smk"
include: "workflow/rules/attack/attack.smk"
include: "workflow/rules/transfer/transfer.smk"
include: "workflow/rules/spectra/spectra.smk"
include: "workflow/rules/units/units.smk"
include: "workflow/rules/adversarial_training/adversarial_training.smk"
include: "workflow/rules/smoothness/smoothness.smk"
include: "workflow/rules/natural/natural.smk"
include: "workflow/rules/baselines/baselines.smk"
include: "workflow/rules/sae/sae.smk"
include: "workflow/rules/bounds/bounds.smk"
# Last, as it gathers what the chapters above have added.
include: "workflow/rules/stats/stats.smk"


# What no rule needs to say, as it is the same for all steps.
for task in workflow.rules:
    if task.script:
        complete(task)


rule all:
    default_target: True
    input:
        PAPER,


rule everything:
    input:
        PAPER,
        EVERYTHING,
