# What the rules of the stage `trust` share: which tables a profile is made of, which datasets have profiles.

from candor.tables.trust import (
    DATASETS_FIGURE,
    OVERVIEW_LATEX,
    OVERVIEW_MARKDOWN,
    RADAR_FIGURE,
    TRUST_LATEX,
    TRUST_MARKDOWN,
    TrustAxes,
    TrustOverview,
    TrustProfile,
)


def what_is_profiled(wildcards):
    """Return the tables over all systems of a dataset; an attack is on classes only."""
    dataset = wildcards.dataset
    tables = {
        "performance": Summary,
        "fairness": FairnessSummary,
        **({"attack": AttackSummary} if offered("attack", DATASETS[dataset].pred) else {}),
        "privacy": PrivacySummary,
        "robustness": RobustnessSummary,
        "cost": CostSummary,
    }
    return {stage: under(table.path, dataset=dataset) for stage, table in tables.items()}


def profiled_datasets():
    """Return the datasets at hand that have systems with a profile."""
    return [
        name
        for name in plan_datasets.at_hand(DATASETS)
        if offered("trust", DATASETS[name].pred) and any(plan_systems.systems(CONFIG, name))
    ]
