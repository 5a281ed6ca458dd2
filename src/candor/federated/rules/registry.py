"""All algorithms, by the names that the config has for them."""

from __future__ import annotations

from candor.federated.errors import FederatedError
from candor.federated.rules.averaging import FedAvg, FedProx, FedSgd
from candor.federated.rules.robust import Krum, Median, MultiKrum, TrimmedMean
from candor.federated.rules.rule import Rule
from candor.federated.rules.scaffold import Scaffold
from candor.federated.rules.server_optimisers import FedAdagrad, FedAdam, FedAvgM, FedYogi
from candor.federated.settings import Settings
from candor.federated.vectors import Layout

RULES: dict[str, type[Rule]] = {
    rule.name: rule
    for rule in (
        FedSgd, FedAvg, FedProx, FedAvgM, FedAdam, FedYogi, FedAdagrad, Scaffold, Median, TrimmedMean, Krum, MultiKrum,
    )
}  # fmt: skip


def rule_of(settings: Settings, layout: Layout) -> Rule:
    """Return the algorithm of a run.

    Parameters
    ----------
    settings
        Of the run; its `model_type` is the algorithm's name.
    layout
        Of the model.

    Raises
    ------
    FederatedError
        When there is no algorithm of that name.
    """
    rule = RULES.get(settings.model_type)
    if rule is None:
        raise FederatedError(f"there is no algorithm {settings.model_type!r}, but {', '.join(RULES)}")
    return rule(settings, layout)
