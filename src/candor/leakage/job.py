"""All that the job of a run does: attack every fold, part by part, and put together what came of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candor.leakage.attack import Attack, Said, fused
from candor.leakage.kept import Shadows, Victims
from candor.leakage.names import CNN
from candor.leakage.outcomes import OfFold, Outcomes, Row, without_figure
from candor.leakage.people import Pupils, attributes_of, codes_of, pupils
from candor.leakage.settings import Settings
from candor.made_of import hashes_of
from candor.runtime import Progress, use_device
from candor.tables.corpora import Utterances
from candor.unfinished import Unfinished

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What an audit has found: rows of `LeakageAttacks`, `LeakageRounds` and `LeakageScores`."""

    attacks: list[Row]
    rounds: list[Row]
    scores: list[Row]


@dataclass(frozen=True)
class AttacksJob:
    """The attacks on one run.

    Parameters
    ----------
    victims
        The folds.
    shadows
        By what the attacker knows: the shadow federations that he learns from in each fold.
    manifests
        Manifests, by what is put before the names of their people: nothing before the victims'.
    settings
        How.
    device
        What networks run on.
    unfinished
        What of an unfinished job is done.
    """

    victims: Sequence[Victims]
    shadows: Mapping[str, Sequence[Shadows]]
    manifests: Mapping[str, Any]
    settings: Settings
    device: str
    unfinished: Unfinished

    @classmethod
    def of(cls, inputs: Any, params: Any, resources: Any) -> AttacksJob:
        """Return the job that a rule describes by its input, parameters and resources."""
        device = use_device(resources.device)
        folders = [Path(file).parent for file in inputs.shadows]
        of = {"inputs": hashes_of(inputs), "settings": params.settings, "code": params.code, "sets": params.sets}
        return cls(
            [Victims(fold, Path(file).parent) for fold, file in zip(params.folds, inputs.facts, strict=True)],
            {knows: [Shadows(folders[place]) for place in places] for knows, places in params.sets.items()},
            {lead: Utterances.read(file) for lead, file in zip(params.leads, inputs.utterances, strict=True)},
            Settings.of(params.settings),
            device,
            Unfinished(Path(params.aside), json.dumps({**of, "device": device.partition(":")[0]}, sort_keys=True)),
        )

    def run(self) -> Found:
        """Return all that is found."""
        found = Found([], [], [])
        for attribute in self.settings.attributes:
            known = self._known(attribute)
            for knowledge, shadows in self.shadows.items():
                self._attack(attribute, knowledge, known, shadows, found)
        return found

    def facts(self) -> dict[str, Any]:
        """Return what stands beside the results: how it was attacked, and whom the attacker learned from."""
        learned = {
            knows: [{**own.facts["names"], "models": own.facts["models"], "people": len(own.people)} for own in shadows]
            for knows, shadows in self.shadows.items()
        }
        return {
            "settings": {name: _plain(value) for name, value in vars(self.settings).items()},
            "defence": self.victims[0].history.facts.get("defence"),
            "shadows": learned,
            "folds": [victims.fold for victims in self.victims],
        }

    def _known(self, attribute: str) -> dict[str, str]:
        """Return the attribute of everybody of whom it is known."""
        parts = [
            attributes_of(table, attribute, lead, self.settings.age_bins) for lead, table in self.manifests.items()
        ]
        return {person: value for part in parts for person, value in part.items()}

    def _attack(
        self, attribute: str, knowledge: str, known: Mapping[str, str], shadows: Sequence[Shadows], found: Found
    ) -> None:
        taught = self._taught(known, shadows)
        reasons = sorted({own for own in taught if isinstance(own, str)})
        values = {own.values for own in taught if not isinstance(own, str)}
        if reasons or len(values) != 1:
            reason = "; ".join(reasons) or "shadow people of the folds are not of the same values"
            logger.warning("%s, %s: not attacked: %s", attribute, knowledge, reason)
            found.attacks.append(without_figure(attribute, knowledge, *self._nobody(), reason))
            return
        lessons = [own for own in taught if not isinstance(own, str)]
        folds = list(self._folds(attribute, knowledge, known, shadows, lessons))
        outcomes = Outcomes(attribute, knowledge, next(iter(values)), folds)
        found.attacks.extend(outcomes.rows())
        found.rounds.extend(outcomes.by_round())
        found.scores.extend(outcomes.scores())

    def _taught(self, known: Mapping[str, str], shadows: Sequence[Shadows]) -> list[Pupils | str]:
        """Return whom the attacker of each fold learns from, or why he cannot."""
        taught: list[Pupils | str] = []
        for victims, own in zip(self.victims, shadows, strict=True):
            attacked = {person: known[person] for person in victims.people if person in known}
            free = [person for person in own.people if person not in attacked]
            taught.append(pupils(known, free, attacked, self.settings.seed))
        return taught

    def _nobody(self) -> tuple[str, str, int]:
        return self.settings.attackers[0], self.victims[0].layers[0].name, min(self.settings.updates_seen)

    def _folds(
        self,
        attribute: str,
        knowledge: str,
        known: Mapping[str, str],
        shadows: Sequence[Shadows],
        taught: Sequence[Pupils],
    ) -> Iterator[OfFold]:
        attacks = {
            victims.fold: self._of_fold(victims, known, own, lesson)
            for victims, own, lesson in zip(self.victims, shadows, taught, strict=True)
        }
        total = sum(len(attack.parts()) for attack in attacks.values())
        with Progress(total, f"attack {attribute}, {knowledge}", "part") as progress:
            for fold, attack in attacks.items():
                said = []
                for part in attack.parts():
                    said += self._part(f"{attribute}-{knowledge}-fold{fold}-{part}".replace(" ", "-"), attack, part)
                    progress.advance()
                yield _outcome(fold, attack, said, known)

    def _of_fold(self, victims: Victims, known: Mapping[str, str], shadows: Shadows, taught: Pupils) -> Attack:
        attacked = {person for person in victims.people if known.get(person) in taught.values}
        seen = victims.updates(dict.fromkeys(attacked))
        shadow = shadows.updates({**taught.train, **taught.dev})
        seed = self.settings.seed + victims.fold
        return Attack(shadow, seen, victims.layers, taught, self.settings, seed, self.device)

    def _part(self, name: str, attack: Attack, part: str) -> list[Said]:
        done = self.unfinished.load(name)
        if done is not None:
            return [Said.of_row(row) for row in done]
        said = attack.run(part)
        self.unfinished.save(name, [own.row() for own in said])
        return said


def _outcome(fold: int, attack: Attack, said: Sequence[Said], known: Mapping[str, str]) -> OfFold:
    networks = [own for own in said if own.attacker == CNN]
    sizes = {layer.name: layer.size for layer in attack.layers}
    several = [*said, *([fused(networks, sizes.__getitem__)] if len(networks) > 1 else [])]
    return OfFold(
        fold,
        attack.victims.seen,
        codes_of(attack.victims.people.tolist(), known, attack.pupils.values),
        attack.groups,
        {(own.attacker, own.layer): own for own in several},
        {(own.attacker, own.layer): attack.dev_uar(own) for own in several},
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
