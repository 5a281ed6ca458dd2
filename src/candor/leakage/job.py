"""All that the job of a run does: attack every fold, part by part, and put together what came of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candor.leakage.attack import Attack
from candor.leakage.kept import AllVictims, Shadows, Victims
from candor.leakage.names import ALL, CNN
from candor.leakage.outcomes import Answers, Outcomes, Row, without_figure
from candor.leakage.people import Pupils, attributes_of, codes_of, pupils
from candor.leakage.said import Said, fused
from candor.leakage.settings import MOST_SHADOW, SEED, Settings
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
            knows: [{**own.facts["names"], "datasets": own.facts["datasets"], "people": own.people} for own in shadows]
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
        lessons = list(self._lessons(known, shadows))
        reasons = sorted({own.taught for own in lessons if isinstance(own.taught, str)})
        values = {own.taught.values for own in lessons if not isinstance(own.taught, str)}
        if reasons or len(values) != 1:
            reason = "; ".join(reasons) or "shadow people of the folds are not of the same values"
            logger.warning("%s, %s: not attacked: %s", attribute, knowledge, reason)
            found.attacks.append(without_figure(attribute, knowledge, *self._nobody(), reason))
            return
        attacks = [self._prepared(known, own) for own in lessons]
        with Progress(sum(len(own.parts()) for own in attacks), f"attack {attribute}, {knowledge}", "part") as progress:
            answers = []
            for lesson, attack in zip(lessons, attacks, strict=True):
                said = []
                for part in attack.parts():
                    name = f"{attribute}-{knowledge}-{lesson.shadows.folder.name}-{part}"
                    said += self._part(name.replace(" ", "-"), attack, part)
                    progress.advance()
                answers.append(_answers(attack, said, known))
        outcomes = Outcomes(attribute, knowledge, next(iter(values)), answers)
        found.attacks.extend(outcomes.rows())
        found.rounds.extend(outcomes.by_round())
        found.scores.extend(outcomes.scores())

    def _lessons(self, known: Mapping[str, str], shadows: Sequence[Shadows]) -> Iterator[_Lesson]:
        """Yield whom an attacker learns from, and the folds that he attacks with what he has learned."""
        folds: dict[Path, list[Victims]] = {}
        for fold, own in zip(self.victims, shadows, strict=True):
            folds.setdefault(own.folder, []).append(fold)
        for own in {own.folder: own for own in shadows}.values():
            victims = AllVictims(folds[own.folder])
            attacked = {person: known[person] for person in victims.people if person in known}
            free = [person for person in own.people if person not in attacked]
            nothing = "" if victims.layers else "no layer of which updates are kept has a matrix"
            taught = own.facts["reason"] or nothing or pupils(known, free, attacked, SEED)
            yield _Lesson(victims, own, taught)

    def _nobody(self) -> tuple[str, str, int]:
        return self.settings.attackers[0], ALL, min(self.settings.updates_seen)

    def _prepared(self, known: Mapping[str, str], lesson: _Lesson) -> Attack:
        taught, victims = lesson.taught, lesson.victims
        assert not isinstance(taught, str)
        attacked = {person for person in victims.people if known.get(person) in taught.values}
        seen = victims.updates(dict.fromkeys(attacked))
        shadow = lesson.shadows.updates(taught.told, MOST_SHADOW)
        if len(shadow) == MOST_SHADOW:
            logger.info("of all shadow updates %d are learned from, drawn at random", MOST_SHADOW)
        seed = SEED + victims.folds[0]
        return Attack(shadow, seen, victims.layers, taught, self.settings, seed, self.device)

    def _part(self, name: str, attack: Attack, part: str) -> list[Said]:
        done = self.unfinished.load(name)
        if done is not None:
            return [Said.of_row(row) for row in done]
        said = attack.run(part)
        self.unfinished.save(name, [own.row() for own in said])
        return said


@dataclass(frozen=True)
class _Lesson:
    """Whom an attacker attacks, whom he learns from, and who of these he is taught about, or why nobody."""

    victims: AllVictims
    shadows: Shadows
    taught: Pupils | str


def _answers(attack: Attack, said: Sequence[Said], known: Mapping[str, str]) -> Answers:
    networks = [own for own in said if own.attacker == CNN]
    sizes = {layer.name: layer.size for layer in attack.layers}
    several = [*said, *([fused(networks, sizes.__getitem__)] if len(networks) > 1 else [])]
    return Answers(
        attack.victims.seen,
        codes_of(attack.victims.people.tolist(), known, attack.pupils.values),
        attack.groups,
        {(own.attacker, own.layer): own for own in several},
        {(own.attacker, own.layer): attack.on_held_out(own) for own in several},
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
