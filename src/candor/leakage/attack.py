"""All attacks of who learns from the same people: each attacker and layer, by updates seen, and the controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from candor.leakage.attackers.attacker import Attacker, Codes, Taught
from candor.leakage.attackers.cnn import Cnn, Shown
from candor.leakage.attackers.logistic import Logistic
from candor.leakage.attackers.products import Coordinates, Products, products, together
from candor.leakage.attackers.told_less import by_labels, by_norms, norms
from candor.leakage.groups import Groups, single, some_of_each
from candor.leakage.layers import Layer
from candor.leakage.names import ALL, AUC, CNN, LABELS, LOGISTIC, NONE, NORMS, UAR
from candor.leakage.people import Pupils, dealt_anew
from candor.leakage.said import Said, odds_for
from candor.leakage.settings import DEALINGS, DEALINGS_OF_CNN, Settings
from candor.leakage.updates import Standard, Updates
from candor.privacy.ranking import Ranked
from candor.stats.confusions import count_confusions, uar
from candor.stats.intervals import FloatArray


@dataclass(frozen=True)
class Attack:
    """One attribute, read off updates, of one fold or several, by attackers who learn from the same federations.

    Parameters
    ----------
    shadow, victims
        The updates, the shadows' before any noise; of people whose attribute is not known there are no victims'.
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
    def sent(self) -> Updates:
        """The shadow updates with the noise that their clients added."""
        return self.shadow.as_sent() if self.shadow.lack_noise else self.shadow

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
                sent = [self.sent] if self.shadow.lack_noise else []
                found = products(self.shadow, [self.victims, *sent], layer, scale)
                yield self._said(LOGISTIC, layer.name, _on(found))
                every = found if every is None else together(every, found)
            of_both = norms(self.sent, layer), norms(self.victims, layer)
            yield self._said(NORMS, layer.name, by_norms(*of_both))
        if every is not None and len(self.layers) > 1:
            yield self._said(LOGISTIC, ALL, _on(every))
        yield self._said(LABELS, NONE, by_labels(self.shadow, self.victims))

    def on_held_out(self, said: Said) -> dict[str, float]:
        """Return UAR and AUC of an attacker on single updates of shadow people whom he has not learned from.

        Regressions that were held from different people draw their lines at different places: the AUC is the mean of
        those of each.
        """
        lesson = self.pupils.lesson(self.shadow)
        truth = lesson.labels[said.held_out]
        counts = count_confusions([truth, said.dev.argmax(axis=1)], [lesson.classes] * 2)
        parts = np.zeros(len(truth)) if said.attacker == CNN else lesson.parts[said.held_out]
        areas = [_area(truth[parts == part], said.dev[parts == part]) for part in np.unique(parts)]
        return {UAR: float(uar(counts)), AUC: float(np.mean(areas))}

    def _network(self, layer: Layer) -> Said:
        scale = self._scale(layer)
        noised = self.pupils.lesson(self.shadow).train if self.shadow.lack_noise else None
        shown = Shown(self.sent, layer, scale, noised), Shown(self.victims, layer, scale)
        settings = self.settings
        attacker = Cnn(*shown, layer, settings.num_epochs, settings.learning_rate, self.device)
        return self._said(CNN, layer.name, attacker, DEALINGS_OF_CNN)

    def _scale(self, layer: Layer) -> Standard:
        """Return the scale of a layer, over the shadow updates that are learned from and nothing else.

        Noise makes the deviations larger; in the means it would be but an error.
        """
        train = self.pupils.lesson(self.shadow).train
        scale = Standard.over(self.shadow, layer, train)
        if not self.shadow.lack_noise:
            return scale
        return Standard(scale.mean, Standard.over(self.sent, layer, train).deviation)

    def _said(self, name: str, layer: str, attacker: Attacker, dealings: int = DEALINGS) -> Said:
        lesson = self.pupils.lesson(self.shadow)
        taught = attacker.learn(lesson, self.seed)
        said = Said(name, layer, taught.held_out, taught.of_held_out(), self._of_all_groups(taught))
        several = [
            self._of_all_groups(attacker.learn(self.pupils.lesson(self.shadow, told), self.seed + place, taught))
            for place, told in enumerate(dealt_anew(self.pupils, dealings, self.seed), start=1)
        ]
        said.control = {number: np.stack([own[number] for own in several]) for number in said.odds}
        return said

    def _of_all_groups(self, taught: Taught) -> dict[int, FloatArray]:
        return {number: taught.of_means(groups.members) for number, groups in self.groups.items()}


def _on(found: Products) -> Logistic:
    coordinates = Coordinates.of(found)
    return Logistic(coordinates.shadow, *coordinates.others)


def _area(truth: Codes, odds: FloatArray) -> float:
    """Return the AUC of each value against the others, weighted by how often it occurs."""
    curves = [Ranked(odds_for(value, odds), truth == value).curve() for value in range(odds.shape[1])]
    areas = [curve.area() if curve is not None else 0.5 for curve in curves]
    return float(np.average(areas, weights=np.bincount(truth, minlength=odds.shape[1])))
