# What the rules of the stage `robustness` share: whose models are tested.

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
    return seeds_asked_for(CONFIG.robustness.seeds, wildcards)


def what_is_disturbed(wildcards):
    """Return the models of a job, and what they need besides audio."""
    return models_on(wildcards.backbone, wildcards, disturbed_seeds(wildcards))
