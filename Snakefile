"""Candor: trustworthy speech emotion recognition, from raw corpora to tables with their uncertainty.

Ask for a folder: `snakemake --cores 30 results/performance/iemocap`. Everything that is made goes to
`project_dir` of config/config.yml; docs/README.md has a page per stage.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/audio.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/backbones.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/performance.smk"
include: "workflow/rules/fairness.smk"
include: "workflow/rules/trained.smk"
include: "workflow/rules/attack_inputs.smk"
include: "workflow/rules/attack.smk"
include: "workflow/rules/privacy_inputs.smk"
include: "workflow/rules/privacy.smk"
include: "workflow/rules/robustness_inputs.smk"
include: "workflow/rules/robustness.smk"
include: "workflow/rules/cost_inputs.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/trust_inputs.smk"
include: "workflow/rules/trust.smk"
include: "workflow/rules/federated_inputs.smk"
include: "workflow/rules/federated.smk"
include: "workflow/rules/leakage_inputs.smk"
include: "workflow/rules/leakage.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/folders.smk"
include: "workflow/rules/targets.smk"


rule all:
    default_target: True
    input:
        everything_at_hand,
