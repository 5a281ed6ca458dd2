"""What tables and terminals say of a defence; no model is needed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from candor.federated.settings import CLIENT_DP, LOCAL_DP, USER_DP

NONE, UNDEFENDED = "none", "-"
"""A run without a defence, as its facts and as a terminal have it."""

NUMBERS = ("epsilon", "epsilon_updates", "claimed_epsilon", "delta")


def over_folds(defences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the cells that a summary has of the defence of a run: of each number that of the fold where it is worst.

    Parameters
    ----------
    defences
        What the facts of each fold say under `defence`.
    """
    known = {name: [own[name] for own in defences if own[name] is not None] for name in NUMBERS}
    kind = defences[0]["kind"]
    return {"defence": "" if kind == NONE else kind, **{name: max(own, default=None) for name, own in known.items()}}


def in_words(row: Mapping[Any, Any]) -> str:
    """Return in a few words what a run does to updates and what that guarantees.

    Parameters
    ----------
    row
        Of a summary.

    >>> numbers = {"epsilon": 9.9997, "epsilon_updates": 213.4, "claimed_epsilon": 25, "delta": 1e-5}
    >>> in_words({"defence": "client_dp", **numbers})
    'client_dp ε = 10 (of updates 213.4), δ = 1e-05'
    >>> in_words({"defence": "client_dp", **numbers, "epsilon_updates": 11151.3})
    'client_dp ε = 10 (of updates 11151), δ = 1e-05'
    >>> in_words({"defence": "local_dp", **numbers})
    'local_dp ε = 10, δ = 1e-05'
    >>> in_words({"defence": "user_dp", **numbers})
    'user_dp claims ε = 25, which does not hold'
    >>> in_words({"defence": "sign", **numbers}), in_words({"defence": "", **numbers})
    ('sign, no guarantee', '-')
    """
    kind, epsilon = row["defence"], epsilon_in_words(row)
    if not kind:
        return UNDEFENDED
    if kind in (CLIENT_DP, LOCAL_DP):
        of_updates = f" (of updates {_four_digits(row['epsilon_updates'])})" if kind == CLIENT_DP else ""
        return f"{kind} {epsilon}{of_updates}, δ = {row['delta']:.2g}"
    return f"{kind} {epsilon}, which does not hold" if kind == USER_DP else f"{kind}, no guarantee"


def epsilon_in_words(row: Mapping[Any, Any]) -> str:
    """Return the epsilon of a run, or the one that is claimed; blank where there is none.

    Parameters
    ----------
    row
        Of a summary.
    """
    if row["defence"] in (CLIENT_DP, LOCAL_DP):
        return f"ε = {_four_digits(row['epsilon'])}"
    return f"claims ε = {_four_digits(row['claimed_epsilon'])}" if row["defence"] == USER_DP else ""


def _four_digits(number: float) -> str:
    return f"{number:.4g}" if number < 1000 else f"{number:.0f}"
