# What the rules of the stage `robustness` share: whose models are tested, on how many threads.

from candor.plan import robustness as plan_robustness
from candor.tables.robustness import (
    ROBUSTNESS_CURVES_FIGURE,
    ROBUSTNESS_MADE_OF,
    ROBUSTNESS_TESTS_FIGURE,
    Disturbed,
    RobustnessResult,
    RobustnessSummary,
)


def disturbed_seeds(wildcards):
    seeds = CONFIG.recipes[wildcards.recipe].seeds
    return list(seeds) if CONFIG.robustness.seeds == "all" else seeds[:1]


def what_is_disturbed(wildcards):
    """Return the models of a job, and what they need besides audio."""
    return models_on(wildcards.backbone, wildcards, disturbed_seeds(wildcards))


def threads_to_disturb(wildcards):
    return threads_to_run([wildcards.backbone])
