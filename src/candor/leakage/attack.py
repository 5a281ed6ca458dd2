"""All attacks of who learns from the same people: each attacker and layer, by updates seen, and the controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from candor.federated.draws import draws
from candor.leakage.attackers.attacker import Attacker, Codes, Taught
from candor.leakage.attackers.logistic import Logistic
from candor.leakage.attackers.products import Coordinates, Products, products, together
from candor.leakage.attackers.told_less import by_labels, by_norms, norms
from candor.leakage.layers import Layer
from candor.leakage.names import ALL, CNN, LABELS, LOGISTIC, NONE, NORMS
from candor.leakage.people import Pupils, dealt_anew
from candor.leakage.settings import DEALINGS, DEALINGS_OF_CNN, TRIALS, Settings
from candor.leakage.updates import Numbers, Standard, Updates
from candor.stats.confusions import count_confusions, uar
from candor.stats.intervals import FloatArray


@dataclass(frozen=True)
class Groups:
    """Which of the victims' updates are averaged before an attacker looks at them.

    Parameters
    ----------
    members
        Numbers of updates.
    trials
        Of each group, which of several drawings it is of; all 0 where every update stands for itself.
    """

    members: Sequence[Numbers]
    trials: Codes

    @property
    def seen(self) -> float:
        """Return how many updates are in a group, in the mean."""
        return float(np.mean([len(own) for own in self.members]))


def single(victims: Updates) -> Groups:
    """Return every update by itself."""
    numbers = np.arange(len(victims))
    return Groups([numbers[place : place + 1] for place in numbers], np.zeros(len(victims), dtype=np.intp))


def some_of_each(victims: Updates, number: int, seed: int) -> Groups:
    """Return some updates of each client, drawn without replacement, several times; all, where it sent no more."""
    by_client: dict[tuple[int, str], list[int]] = {}
    for place, update in enumerate(victims.seen):
        by_client.setdefault((update.federation, update.client), []).append(place)
    members, trials = [], []
    for trial in range(TRIALS):
        for (fold, client), own in by_client.items():
            order = draws(seed, "seen", number, trial, fold, client).permutation(len(own))[:number]
            members.append(np.sort(np.array(own, dtype=np.intp)[order]))
            trials.append(trial)
    return Groups(members, np.array(trials, dtype=np.intp))


MANY = ("odds", "control")


@dataclass
class Said:
    """What one attacker says of the victims of a fold.

    Parameters
    ----------
    attacker, layer
        Who, and of what.
    dev
        Log odds of single updates of shadow people whom he has not learned from, [updates, classes].
    odds
        By how many updates he sees: log odds, [groups, classes].
    control
        The same of attackers who were taught values that were dealt out anew, [dealings, groups, classes].
    """

    attacker: str
    layer: str
    dev: FloatArray
    odds: dict[int, FloatArray] = field(default_factory=dict)
    control: dict[int, FloatArray] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Return all of it in lists, as it is kept aside."""
        listed = {name: {str(own): odds.tolist() for own, odds in vars(self)[name].items()} for name in MANY}
        return {"attacker": self.attacker, "layer": self.layer, "dev": self.dev.tolist(), **listed}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Said:
        """Return what `row` has put in lists."""
        many = [{int(own): np.array(odds) for own, odds in row[name].items()} for name in MANY]
        return cls(row["attacker"], row["layer"], np.array(row["dev"]), *many)


@dataclass(frozen=True)
class Attack:
    """One attribute, read off updates, of one fold or several, by attackers who learn from the same federations.

    Parameters
    ----------
    shadow, victims
        The updates; those of people whose attribute is not known are not among the victims.
    layers
        Of the model.
    pupils
        Whom attackers learn from.
    settings
        How.
    seed
        Of what is drawn in this attack.
    device
        What networks run on.
    """

    shadow: Updates
    victims: Updates
    layers: Sequence[Layer]
    pupils: Pupils
    settings: Settings
    seed: int
    device: str = "cpu"

    @cached_property
    def groups(self) -> dict[int, Groups]:
        """Which updates are seen together, by how many these are."""
        return {
            number: single(self.victims) if number == 1 else some_of_each(self.victims, number, self.seed)
            for number in self.settings.updates_seen
        }

    def parts(self) -> list[str]:
        """Return the names of the parts that this attack falls into, each of which can be done by itself."""
        networks = [f"{CNN} {layer.name}" for layer in self.layers] if CNN in self.settings.attackers else []
        return ["regressions", *networks]

    def run(self, part: str) -> list[Said]:
        """Return what attackers of one part say."""
        if part == "regressions":
            return list(self._regressions())
        layer = next(layer for layer in self.layers if part == f"{CNN} {layer.name}")
        return [self._network(layer)]

    def _regressions(self) -> Iterator[Said]:
        """Yield what is said by whom a regression tells: of each layer, of all, of norms, of classes."""
        every: Products | None = None
        for layer in self.layers:
            scale = self._scale(layer)
            if LOGISTIC in self.settings.attackers:
                found = products(self.shadow, self.victims, layer, scale)
                yield self._said(LOGISTIC, layer.name, _on(found))
                every = found if every is None else together(every, found)
            of_both = norms(self.shadow, layer), norms(self.victims, layer)
            yield self._said(NORMS, layer.name, by_norms(*of_both))
        if every is not None and len(self.layers) > 1:
            yield self._said(LOGISTIC, ALL, _on(every))
        yield self._said(LABELS, NONE, by_labels(self.shadow, self.victims))

    def dev_uar(self, said: Said) -> float:
        """Return the UAR of an attacker on single updates of shadow people whom he has not learned from."""
        lesson = self.pupils.lesson(self.shadow)
        codes = [lesson.labels[lesson.dev], said.dev.argmax(axis=1)]
        return float(uar(count_confusions(codes, [lesson.classes] * 2)))

    def _network(self, layer: Layer) -> Said:
        # By need, as it is the only attacker that torch has to be there for.
        from candor.leakage.attackers.cnn import Cnn, Shown

        scale = self._scale(layer)
        shown = Shown(self.shadow, layer, scale), Shown(self.victims, layer, scale)
        settings = self.settings
        attacker = Cnn(*shown, layer, settings.num_epochs, settings.learning_rate, self.device)
        return self._said(CNN, layer.name, attacker, DEALINGS_OF_CNN)

    def _scale(self, layer: Layer) -> Standard:
        """Return the scale of a layer, over the shadow updates that are learned from and nothing else."""
        return Standard.over(self.shadow, layer, self.pupils.lesson(self.shadow).train)

    def _said(self, name: str, layer: str, attacker: Attacker, dealings: int = DEALINGS) -> Said:
        lesson = self.pupils.lesson(self.shadow)
        taught = attacker.learn(lesson, self.seed)
        said = Said(name, layer, taught.dev(), self._of_all_groups(taught))
        several = [
            self._of_all_groups(attacker.learn(self.pupils.lesson(self.shadow, told), self.seed + place, taught))
            for place, told in enumerate(dealt_anew(self.pupils, dealings, self.seed), start=1)
        ]
        said.control = {number: np.stack([own[number] for own in several]) for number in said.odds}
        return said

    def _of_all_groups(self, taught: Taught) -> dict[int, FloatArray]:
        return {number: taught.of_means(groups.members) for number, groups in self.groups.items()}


def fused(several: Sequence[Said], sizes: Callable[[str], int]) -> Said:
    """Return what the networks of several layers say together: the mean of their chances, by how large a layer is.

    That is fed-ser-leakage's fusion.
    """
    total = sum(sizes(own.layer) for own in several)
    weights = [sizes(own.layer) / total for own in several]

    def mixed(odds: Sequence[FloatArray]) -> FloatArray:
        return np.log(sum(weight * softmax(own) for weight, own in zip(weights, odds, strict=True)) + 1e-300)

    return Said(
        several[0].attacker,
        ALL,
        mixed([own.dev for own in several]),
        {number: mixed([own.odds[number] for own in several]) for number in several[0].odds},
        {number: mixed([own.control[number] for own in several]) for number in several[0].control},
    )


def softmax(odds: FloatArray) -> FloatArray:
    """Return chances of log odds, over the last axis."""
    apart = np.exp(odds - odds.max(axis=-1, keepdims=True))
    return np.asarray(apart / apart.sum(axis=-1, keepdims=True))


def _on(found: Products) -> Logistic:
    coordinates = Coordinates.of(found)
    return Logistic(coordinates.shadow, coordinates.victims)
