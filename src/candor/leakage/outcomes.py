"""From what attackers say of the updates of all folds to figures with their intervals, beside the control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy.special import softmax

from candor.leakage.attackers.attacker import Codes
from candor.leakage.groups import Groups
from candor.leakage.names import AUC, UAR
from candor.leakage.said import Said, odds_for
from candor.leakage.updates import Seen
from candor.privacy.contests import Contest, Contests
from candor.privacy.names import NOT_ATTACKED
from candor.privacy.outcomes import contest_intervals, spread, three, verdict
from candor.privacy.ranking import Curve, Ranked
from candor.stats.confusions import count_confusions, uar
from candor.stats.intervals import FloatArray, Interval, speaker_interval
from candor.stats.paired import paired_interval

Row = dict[str, Any]

WHICH = ("attribute", "knowledge", "attacker", "layer")
NUMBERS = (
    *("value", "low", "high", "chance", "control", "control_low", "control_high"),
    *("difference", "difference_low", "difference_high", "fold_mean", "fold_sd", "dev"),
    *("seen", "tested", "people", "folds"),
)


@dataclass(frozen=True)
class Answers:
    """What attackers who have learned from the same shadow federations say of updates, of one fold or of several.

    Parameters
    ----------
    seen
        The victims' updates; `federation` is the fold.
    truth
        The attribute of each, as a code.
    groups
        Which of them are averaged, by how many are seen.
    said
        What is said, by attacker and layer.
    dev
        UAR and AUC of these on shadow people who were held out.
    """

    seen: Sequence[Seen]
    truth: Codes
    groups: Mapping[int, Groups]
    said: Mapping[tuple[str, str], Said]
    dev: Mapping[tuple[str, str], Mapping[str, float]]

    @property
    def folds(self) -> list[int]:
        """The folds that these updates are of."""
        return sorted({own.federation for own in self.seen})

    def of_groups(self, number: int) -> tuple[list[str], Codes, Codes]:
        """Return whose each group is, the truth about it, and its fold: all its updates are one client's."""
        first = [int(own[0]) for own in self.groups[number].members]
        folds = np.array([self.seen[place].federation for place in first], dtype=np.intp)
        return [self.seen[place].person for place in first], self.truth[first], folds


@dataclass(frozen=True)
class Outcomes:
    """What is read off a run by attackers of the same knowledge.

    Parameters
    ----------
    attribute, knowledge
        What they read, and what they know.
    values
        Of the attribute, in order.
    answers
        What is said, of each fold once.
    """

    attribute: str
    knowledge: str
    values: Sequence[str]
    answers: Sequence[Answers]

    @property
    def chance(self) -> float:
        """Return the UAR of who sees nothing."""
        return 1 / len(self.values)

    @property
    def _folds(self) -> list[int]:
        return sorted({fold for answer in self.answers for fold in answer.folds})

    def rows(self) -> Iterator[Row]:
        """Yield rows of `LeakageAttacks`."""
        for attacker, layer in self.answers[0].said:
            for number in self.answers[0].groups:
                yield self._uar_row(attacker, layer, number)
                yield self._auc_row(attacker, layer, number)

    def by_round(self) -> Iterator[Row]:
        """Yield rows of `LeakageRounds`."""
        rounds = sorted({own.round for answer in self.answers for own in answer.seen})
        for attacker, layer in self.answers[0].said if 1 in self.answers[0].groups else ():
            for round in rounds:
                counts = self._counts(attacker, layer, 1, round=round)
                found = speaker_interval(counts, uar) if _all_occur(counts) else NO_FIGURE
                yield {
                    **self._which(attacker, layer),
                    "round": round,
                    **{"value": found.value, "low": found.low, "high": found.high},
                    "chance": self.chance,
                    "tested": int(counts.sum()),
                }

    def scores(self) -> Iterator[Row]:
        """Yield rows of `LeakageScores`."""
        for attacker, layer in self.answers[0].said if 1 in self.answers[0].groups else ():
            for answer in self.answers:
                chances = softmax(answer.said[attacker, layer].odds[1], axis=1)
                for own, truth, chance in zip(answer.seen, answer.truth, chances, strict=True):
                    yield {
                        **self._which(attacker, layer),
                        **{"fold": own.federation, "round": own.round, "client": own.client, "person": own.person},
                        "truth": self.values[truth],
                        "said": self.values[int(chance.argmax())],
                        "p": float(chance[truth]),
                    }

    def _which(self, attacker: str, layer: str) -> Row:
        return dict(zip(WHICH, (self.attribute, self.knowledge, attacker, layer), strict=True))

    def _people(self) -> dict[str, int]:
        """Return a number for each person attacked."""
        return {
            name: place
            for place, name in enumerate(sorted({own.person for answer in self.answers for own in answer.seen}))
        }

    def _uar_row(self, attacker: str, layer: str, number: int) -> Row:
        real, dealt = (self._counts(attacker, layer, number, control=control) for control in (False, True))
        value, control = speaker_interval(real, uar), speaker_interval(dealt, uar)
        apart = paired_interval(real, dealt, uar)
        of_folds = [self._counts(attacker, layer, number, fold=fold).sum(axis=0) for fold in self._folds]
        by_fold = [float(uar(counts).mean()) for counts in of_folds if _all_occur(counts[None])]
        row = self._row(attacker, layer, number, UAR, (value, control, apart), by_fold, self.chance)
        said = np.count_nonzero(real.sum(axis=(0, 1, 2)))
        return {**row, "note": SAME_OF_ALL if said == 1 else ""}

    def _auc_row(self, attacker: str, layer: str, number: int) -> Row:
        contests = self._contests(attacker, layer, number)
        tested = np.zeros(len(self._people()))
        for own in contests.each:
            np.add.at(tested, own.first, 1.0)
        found = contest_intervals(contests, Curve.area, tested[tested > 0])
        return self._row(attacker, layer, number, AUC, found, contests.by_fold(Curve.area), 0.5)

    def _row(
        self,
        attacker: str,
        layer: str,
        number: int,
        metric: str,
        intervals: tuple[Interval, Interval, Interval],
        by_fold: Sequence[float],
        chance: float,
    ) -> Row:
        value, _, apart = intervals
        groups = [own.groups[number] for own in self.answers]
        return {
            **self._which(attacker, layer),
            "updates": number,
            "metric": metric,
            **three(*intervals),
            **spread(by_fold),
            "chance": chance,
            "dev": float(np.mean([own.dev[attacker, layer][metric] for own in self.answers])),
            "seen": float(np.average([own.seen for own in groups], weights=[len(own.members) for own in groups])),
            "tested": sum(len(own.members) for own in groups),
            "people": value.speakers,
            "verdict": verdict(value, apart, chance, lower=False),
            "note": "",
        }

    def _counts(
        self,
        attacker: str,
        layer: str,
        number: int,
        *,
        control: bool = False,
        fold: int | None = None,
        round: int | None = None,
    ) -> FloatArray:
        """Return confusion counts [people, trials, classes, classes]; of the control trials of each dealing."""
        people, classes = self._people(), len(self.values)
        total: FloatArray | None = None
        for own in self.answers:
            whose, truth, folds = own.of_groups(number)
            said, trials = own.said[attacker, layer], own.groups[number].trials
            codes = np.array([people[person] for person in whose], dtype=np.intp)
            kept = np.ones(len(codes), dtype=bool) if fold is None else folds == fold
            if round is not None:
                kept &= np.array([one.round == round for one in own.seen])
            odds = said.control[number] if control else said.odds[number][None]
            deals, several = len(odds), int(trials.max()) + 1
            shape = [len(people), deals * several, classes, classes]
            if total is None:
                total = np.zeros(shape)
            for deal, one in enumerate(odds):
                which = [codes[kept], deal * several + trials[kept], truth[kept], one.argmax(axis=1)[kept]]
                total += count_confusions(which, shape)
        assert total is not None
        return total

    def _contests(self, attacker: str, layer: str, number: int) -> Contests:
        people, found = self._people(), Contests()
        for own in self.answers:
            whose, truth, folds = own.of_groups(number)
            codes = np.array([people[person] for person in whose], dtype=np.intp)
            said = own.said[attacker, layer]
            # Of two values one contest tells all. Each fold is a contest of its own, whose model was another one.
            for fold, value in product(own.folds, range(len(self.values)) if len(self.values) > 2 else (1,)):
                here = folds == fold
                is_it = truth[here] == value
                real = Ranked(odds_for(value, said.odds[number][here]), is_it)
                control = tuple(Ranked(odds_for(value, odds[here]), is_it) for odds in said.control[number])
                found.each.append(Contest(real, control, codes[here], codes[here], is_it, fold))
        return found


SAME_OF_ALL = "says the same of everybody: look at the AUC"
NO_FIGURE = Interval(np.nan, np.nan, np.nan, 0)


def _all_occur(counts: FloatArray) -> bool:
    """Tell whether each value occurs in the truth: of one alone a UAR is no such thing."""
    return bool((counts.sum(axis=(0, 1, 3)) > 0).all())


def without_figure(attribute: str, knowledge: str, attacker: str, layer: str, number: int, reason: str) -> Row:
    """Return the row of an attack that there is not."""
    which = dict(zip(WHICH, (attribute, knowledge, attacker, layer), strict=True))
    told = {"verdict": f"{NOT_ATTACKED}: {reason}", "note": ""}
    return {**which, "updates": number, "metric": UAR, **dict.fromkeys(NUMBERS), **told}
