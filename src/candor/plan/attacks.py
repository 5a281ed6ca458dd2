"""Which attacks are made on which backbone and recipe, and why there is none on some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from candor.attack.names import FGSM_TRUST_SER, TRANSFER
from candor.config.loading import refuse
from candor.config.root import Config
from candor.corpora.emotions import EMOTIONS
from candor.plan.systems import systems


@dataclass(frozen=True)
class Access:
    """What an attacker of the models of a backbone with a recipe has.

    Parameters
    ----------
    own_gradient
        Whether the models' own gradient is followed.
    surrogate
        Another backbone whose gradient is followed; blank for none.
    reason
        Why there is no attack; blank where there is one.
    not_lent
        Why none follows the surrogate that was asked for; blank where one does, and where none was.
    """

    own_gradient: bool
    surrogate: str
    reason: str = ""
    not_lent: str = ""


def check_attack(config: Config) -> None:
    """Refuse a target or surrogate that there is not, or that cannot be one."""
    attack = config.attack
    if attack.target is not None and attack.target not in EMOTIONS:
        raise refuse("attack.target", attack.target, EMOTIONS)
    able = [name for name, entry in config.backbones.items() if entry.differentiable]
    if attack.surrogate is not None and attack.surrogate not in able:
        what = ", through which no gradient passes" if attack.surrogate in config.backbones else ""
        raise refuse("attack.surrogate", attack.surrogate, able, what)


def attack_on(config: Config, dataset: str, backbone: str, recipe: str) -> Access:
    """Return by whose gradient the models of a backbone with a recipe are attacked."""
    able = [name for name, used in systems(config, dataset) if used == recipe and config.backbones[name].differentiable]
    asked = config.attack.surrogate
    if config.backbones[backbone].differentiable:
        if asked is None or asked == backbone:
            return Access(own_gradient=True, surrogate="")
        if asked not in able:
            reason = f"attack.surrogate, {asked}, has no models of {recipe} that could lend their gradient"
            return Access(own_gradient=True, surrogate="", not_lent=reason)
        return Access(own_gradient=True, surrogate=asked)
    if asked is not None and asked not in able:
        reason = f"no gradient passes through {backbone}, and attack.surrogate, {asked}, has no models of {recipe}"
        return Access(own_gradient=False, surrogate="", reason=reason)
    if not able:
        reason = f"no gradient passes through {backbone}, and no backbone with {recipe} has one to lend"
        return Access(own_gradient=False, surrogate="", reason=reason)
    return Access(own_gradient=False, surrogate=asked or able[0])


def attacked_systems(config: Config, dataset: str) -> Iterator[tuple[str, str]]:
    """Yield every backbone and recipe whose models are attacked."""
    for backbone, recipe in systems(config, dataset):
        if not attack_on(config, dataset, backbone, recipe).reason:
            yield backbone, recipe


def rows_of_table(config: Config, dataset: str) -> Iterator[tuple[str, str, str]]:
    """Yield what the table of a dataset tells of: backbone, recipe, and why there is no attack, or nothing."""
    for backbone, recipe in systems(config, dataset):
        access = attack_on(config, dataset, backbone, recipe)
        yield backbone, recipe, access.reason
        if access.not_lent:
            yield backbone, recipe, access.not_lent


def methods_of(config: Config) -> list[str]:
    """Return what the attacks are called in tables: trust-ser's way has a name of its own."""
    return [FGSM_TRUST_SER] if config.attack.parity else list(config.attack.methods)


def called(config: Config, backbone: str, access: Access) -> list[tuple[str, str]]:
    """Return each attack's name in tables, and the backbone whose gradient it follows.

    Parameters
    ----------
    config
        The config.
    backbone
        Whose models are attacked.
    access
        What an attacker of these has.
    """
    methods = methods_of(config)
    own = [(method, backbone) for method in methods] if access.own_gradient else []
    lent = [(f"{TRANSFER}{method}", access.surrogate) for method in methods] if access.surrogate else []
    return own + lent


def settings_of(config: Config) -> dict[str, Any]:
    """Return how to attack, as `candor.attack.crafting.Settings` takes it."""
    attack = config.attack
    return {
        "methods": methods_of(config),
        "snrs": attack.snrs,
        "target": attack.target,
        **attack.model_dump(include={"steps", "step_size", "momentum", "random_start"}),
    }
