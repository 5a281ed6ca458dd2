"""The attacks on gender and speaker: train attackers in every fold, and count what they find out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from candor.privacy.attackers import Attacker, Fitted
from candor.privacy.contests import Contest, Contests
from candor.privacy.names import DEALINGS
from candor.privacy.outcomes import Counted, Row, What, contest_row, counted_row, equally_heavy
from candor.privacy.people import (
    GENDERS,
    Codes,
    Deal,
    Lineup,
    People,
    Training,
    closed_set,
    gender_training,
    lineup,
)
from candor.privacy.ranking import Curve
from candor.stats.confusions import accuracy, count_confusions, uar
from candor.stats.intervals import FloatArray

Ready = Callable[[int, int], Attacker]
"""Takes a fold and the seed of its model; returns an attacker of the states seen through that model."""

Plan = TypeVar("Plan")

ONE_GENDER = "fewer than two speakers of each gender are tested"


def attack_gender(people: People, ready: Ready, seeds: Sequence[int], what: What) -> Row:
    """Return how well gender is told of speakers whom the attacker has never heard, over all folds.

    Parameters
    ----------
    people
        The utterances.
    ready
        Returns the attacker.
    seeds
        Of the models.
    what
        Which attack this is.
    """
    plans = {fold: gender_training(people, fold) for fold in people.parts}
    found, reasons = _split(plans)
    left_out = int((~np.isin(people.genders, GENDERS)).sum())
    tested = np.unique(np.concatenate([test for _, test in found.values()])) if found else np.array([], dtype=np.intp)
    if min(len(set(people.clusters[tested][people.genders[tested] == gender])) for gender in GENDERS) < 2:
        return what.without(_reason(reasons, ONE_GENDER), left_out)
    names, codes = np.unique(people.clusters, return_inverse=True)
    real, control = (np.zeros((len(names), len(seeds), several, 2, 2)) for several in (1, DEALINGS))
    by_fold, dev = [], np.zeros((2, 2))
    for fold, (training, test) in found.items():
        for place, seed in enumerate(seeds):
            attacker = ready(fold, seed)
            fitted = attacker.fit(training, _seed(fold, seed))
            guesses = [fitted.guess(test), *_taught_at_random(attacker, training, test, fold, seed)]
            told, *by_chance = (
                count_confusions([codes[test], training.labels[test], said], [len(names), 2, 2]) for said in guesses
            )
            dev += count_confusions([training.labels[training.dev], fitted.guess_dev()], [2, 2])
            real[:, place, 0] += told
            control[:, place] += np.stack(by_chance, axis=1)
            by_fold.append(float(uar(told.sum(axis=0))))
    counts = [own.reshape(len(names), -1, 2, 2) for own in (real, control)]
    counted = Counted(counts[0], counts[1], _averaged(by_fold, len(seeds)), len(tested))
    row = counted_row(what, counted, uar, 0.5, left_out, _missing(reasons, len(plans)))
    return {**row, "dev": float(uar(dev)) if dev.sum(axis=1).all() else None}


def attack_closed_set(
    people: People, dealt: Deal, ready: Ready, seeds: Sequence[int], what: What, folds: Sequence[int | None]
) -> Row:
    """Return how often it is told which of all speakers somebody is.

    Parameters
    ----------
    people, ready, seeds, what
        As for `attack_gender`.
    dealt
        Which utterances are enrolled, and which are probes.
    folds
        Those whose models the states are seen through; a single None where there is no model.
    """
    plans = {fold or 0: closed_set(people, dealt, fold) for fold in folds}
    found, reasons = _split(plans)
    if not found:
        return what.without(_reason(reasons), dealt.left_out)
    right: dict[str, list[tuple[FloatArray, FloatArray]]] = {}
    by_fold, candidates = [], []
    for fold, (training, probes, names) in found.items():
        hits = np.array(
            [
                [said == training.labels[probes] for said in _all_of(ready(fold, seed), training, probes, fold, seed)]
                for seed in seeds
            ]
        )  # [seeds, real and dealt anew, probes]
        own = {names[code]: hits[:, :, training.labels[probes] == code] for code in np.unique(training.labels[probes])}
        for name, told in own.items():
            right.setdefault(name, []).append((told[:, 0], told[:, 1:].reshape(-1, told.shape[2])))
        by_fold.append(float(np.mean([told[:, 0].mean() for told in own.values()])))
        candidates.append(len(names))
    counted = _over_speakers(list(right.values()), by_fold)
    chance = float(np.mean([1 / number for number in candidates]))
    note = _joined(dealt.told(), _missing(reasons, len(plans)))
    return counted_row(what, counted, accuracy, chance, dealt.left_out, note)


def attack_verification(people: People, dealt: Deal, ready: Ready, seeds: Sequence[int], what: What) -> Row:
    """Return how often two utterances are wrongly taken to be, or not to be, of one speaker nobody has learned from.

    Parameters
    ----------
    people, dealt, ready, seeds, what
        As for `attack_closed_set`.
    """
    plans = {fold: lineup(people, dealt, fold) for fold in people.parts}
    found, reasons = _split(plans)
    if not found:
        return what.without(_reason(reasons), dealt.left_out)
    names = sorted(set(people.speakers))
    contests = Contests()
    for fold, own in found.items():
        for seed in seeds:
            fitted = ready(fold, seed).fit(own.training, _seed(fold, seed))
            contests.each.append(_trials(people, own, fitted, names, fold, np.random.default_rng([fold, seed])))
    tested = [own.probes[np.isin(people.speakers[own.probes], list(own.tested))] for own in found.values()]
    speakers = people.speakers[np.unique(np.concatenate(tested))]
    each = np.array([(speakers == names[code]).sum() for code in contests.present()], dtype=np.float64)
    others = any(len(own.enrolled) > len(own.tested) for own in found.values())
    note = _joined(_missing(reasons, len(plans)), "dev speakers are the other people" if others else "")
    return contest_row(what, contests, Curve.equal_error, 0.5, each, dealt.left_out, note)


def _trials(
    people: People, own: Lineup, fitted: Fitted, names: Sequence[str], fold: int, random: np.random.Generator
) -> Contest:
    """Return the scores of all probes against all who are enrolled, as far as one of both counts."""
    seen = fitted.project(np.concatenate([*own.enrolled.values(), own.probes]))
    *enrolments, probed = np.split(seen, np.cumsum([len(numbers) for numbers in own.enrolled.values()]))
    scores = _unit(np.stack([each.mean(axis=0) for each in enrolments])) @ _unit(probed).T
    place = {name: code for code, name in enumerate(names)}
    enrolled = np.array([place[name] for name in own.enrolled])
    probes = np.array([place[str(name)] for name in people.speakers[own.probes]])
    count = np.isin(enrolled, [place[name] for name in own.tested])[:, None]
    count = count | np.isin(probes, [place[name] for name in own.tested])[None]
    first, second = (np.broadcast_to(codes, scores.shape)[count] for codes in (enrolled[:, None], probes[None]))
    whose = [probes, *(random.permutation(probes) for _ in range(DEALINGS))]
    truth, *control = ((enrolled[:, None] == codes[None])[count] for codes in whose)
    return Contest.of(scores[count], truth, control, first, second, truth, fold)


def _all_of(attacker: Attacker, training: Training, numbers: Codes, fold: int, seed: int) -> Iterator[Codes]:
    """Yield what an attacker says who has learned, and what those say who were taught labels dealt out anew."""
    yield attacker.fit(training, _seed(fold, seed)).guess(numbers)
    yield from _taught_at_random(attacker, training, numbers, fold, seed)


def _taught_at_random(attacker: Attacker, training: Training, numbers: Codes, fold: int, seed: int) -> Iterator[Codes]:
    for dealing in range(1, DEALINGS + 1):
        control = training.dealt_anew(np.random.default_rng([fold, seed, dealing]))
        yield attacker.fit(control, _seed(fold, seed, dealing)).guess(numbers)


def _seed(fold: int, seed: int, dealing: int = 0) -> int:
    """Return the seed of a network, another one in each fold: taught at random, equal ones would err alike."""
    return (seed * 1009 + fold) * (DEALINGS + 1) + dealing


def _over_speakers(told: Sequence[Sequence[tuple[FloatArray, FloatArray]]], by_fold: Sequence[float]) -> Counted:
    """Return the counts of speakers who weigh the same, whatever number of utterances they have."""
    both = [[np.concatenate(parts, axis=1) for parts in zip(*own, strict=True)] for own in told]
    number = np.array([real.shape[1] for real, _ in both], dtype=np.float64)
    real, control = (np.stack([own[side].mean(axis=1) for own in both]) for side in (0, 1))
    return Counted(equally_heavy(real, number), equally_heavy(control, number), by_fold, int(number.sum()))


def _averaged(by_fold: Sequence[float], seeds: int) -> list[float]:
    """Return the mean over seeds of figures that come fold by fold, and seed by seed in each."""
    return [float(mean) for mean in np.reshape(by_fold, (-1, seeds)).mean(axis=1)]


def _split(plans: dict[int, Plan | str]) -> tuple[dict[int, Plan], list[str]]:
    """Return the plans of the folds that have one, and why the others have none."""
    found = {fold: plan for fold, plan in plans.items() if not isinstance(plan, str)}
    return found, [plan for plan in plans.values() if isinstance(plan, str)]


def _reason(reasons: Iterable[str], otherwise: str = "") -> str:
    return "; ".join(dict.fromkeys(reasons)) or otherwise


def _missing(reasons: Sequence[str], folds: int) -> str:
    return f"{len(reasons)} of {folds} folds left out: {_reason(reasons)}" if reasons else ""


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
