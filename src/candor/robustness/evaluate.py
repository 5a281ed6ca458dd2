"""From what models say of disturbed speech to which tests they pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from candor.performance.verdicts import SOUND, doubt
from candor.robustness.answers import Answers, Figures
from candor.robustness.battery import OURS, TESTS
from candor.robustness.emotion_answers import EmotionAnswers
from candor.robustness.names import ALL, LEFT_OUT, SILENT
from candor.robustness.rating_answers import RatingAnswers
from candor.stats.intervals import Interval

NO_VERDICT = "no verdict"
PASSED, FAILED, WITHIN_CHANCE = "passed", "failed", "within chance"

Row = dict[str, Any]


def answers_of(pred: str, disturbed: pd.DataFrame, predictions: pd.DataFrame) -> Answers:
    """Return what models said before and after.

    Parameters
    ----------
    pred
        What they predict.
    disturbed, predictions
        As for `Answers`.
    """
    return (EmotionAnswers if pred == "emotion" else RatingAnswers)(disturbed, predictions)


def results(answers: Answers, tests: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Return the rows of `RobustnessResult`.

    Parameters
    ----------
    answers
        What models said before and after.
    tests
        The strengths of each test.
    """
    interpretable = answers.interpretable
    rows, headlines = [], []
    for test, strengths in tests.items():
        for strength in strengths:
            asked = answers.rows[(answers.rows["test"] == test) & (answers.rows["strength"] == strength)]
            own = asked[~asked["status"].isin(LEFT_OUT)]
            row = _described(answers, test, strength, asked, own)
            if not own.empty:
                row |= _figures(answers.of(own))
            if strength == TESTS[test].headline:
                row |= _thresholds(test, answers.metric)
                row |= _judged(row, interpretable)
                headlines += [own] if not own.empty else []
            rows.append(row)
    return pd.DataFrame([*rows, _all(answers, rows, headlines, interpretable)])


def _described(answers: Answers, test: str, strength: float, asked: pd.DataFrame, own: pd.DataFrame) -> Row:
    """Return what a row says besides figures; blank where there may be none."""
    headline = strength == TESTS[test].headline
    snr = own["realised_snr"].mean() if len(own) else np.nan
    return {
        **dict.fromkeys(
            ("score", "score_low", "score_high", "clean", "change", "change_low", "change_high", "p", "random_low")
        ),
        **dict.fromkeys(("unchanged", "unchanged_low", "unchanged_high", "chance_unchanged", "chance")),
        **dict.fromkeys(("least_change", "least_unchanged", "fold_sd", "tests_passed", "tests_made")),
        **{"test": test, "strength": strength, "unit": TESTS[test].unit, "headline": "yes" if headline else "no"},
        **{"metric": answers.metric, "realised_snr": snr, "passed": "", "certain": "", "verdict": ""},
        **_behind(answers, own),
        "note": "; ".join(_notes(asked, test if headline else "")),
    }


def _behind(answers: Answers, rows: pd.DataFrame) -> Row:
    return {
        "utterances": rows["utterance"].nunique(),
        "speakers": rows["cluster"].nunique(),
        "folds": rows["fold"].nunique(),
        "seeds": ", ".join(map(str, answers.seeds)),
    }


def _notes(asked: pd.DataFrame, judged: str) -> list[str]:
    """Return who took no part, who stayed as they were, and whose thresholds a test that is judged has."""
    found = asked.drop_duplicates("utterance")["status"].value_counts()
    notes = [f"left out: {found[reason]} utterances, {reason}" for reason in LEFT_OUT if found.get(reason)]
    if found.get(SILENT):
        notes.append(f"{found[SILENT]} silent utterances, to which nothing is added")
    if judged and TESTS[judged].origin == OURS:
        notes.append(f"strength chosen by Candor, thresholds as ser-tests has them for {TESTS[judged].kind}")
    return notes


def _figures(found: Figures) -> Row:
    return {
        **_named("score", found.score),
        "clean": found.clean,
        **_named("change", found.change),
        "p": found.p,
        "random_low": found.random_low,
        **_named("unchanged", found.unchanged),
        "chance_unchanged": found.chance_unchanged,
        "chance": found.chance,
        "fold_sd": found.fold_sd,
    }


def _thresholds(test: str, metric: str) -> Row:
    return {"least_change": TESTS[test].least_change(metric), "least_unchanged": TESTS[test].least_unchanged}


def _judged(row: Row, interpretable: str) -> Row:
    """Return whether a test is passed, whether that is certain, and why."""
    if interpretable != "yes":
        return {"verdict": doubt(interpretable)}
    if row["unchanged"] is None:
        return {"verdict": f"{NO_VERDICT}: no utterance could be disturbed"}
    least = {"unchanged": row["least_unchanged"], "change": row["least_change"]}
    asked = {what: threshold for what, threshold in least.items() if threshold is not None}
    failing = [what for what, threshold in asked.items() if not row[what] > threshold]
    known = all(row[f"{what}_low"] == row[f"{what}_low"] for what in asked)
    if not failing:
        certain = known and all(row[f"{what}_low"] > threshold for what, threshold in asked.items())
        return {"passed": "yes", "certain": _yes(certain) if known else "", "verdict": PASSED}
    certain = known and any(row[f"{what}_high"] < asked[what] for what in failing)
    words = " and ".join(row["metric"].upper() if what == "change" else "unchanged" for what in failing)
    verdict = f"{FAILED}: {words}"
    if failing == ["change"] and row["change"] >= row["random_low"]:
        verdict += f", {WITHIN_CHANCE}"
    return {"passed": "no", "certain": _yes(certain) if known else "", "verdict": verdict}


def _all(answers: Answers, rows: Sequence[Row], headlines: Sequence[pd.DataFrame], interpretable: str) -> Row:
    """Return the row of all tests together."""
    made = [row for row in rows if row["passed"]]
    whole = pd.concat(headlines) if headlines else answers.rows.iloc[:0]
    row = {
        **dict.fromkeys(rows[0]),
        **{"test": ALL, "unit": "", "headline": "yes", "metric": answers.metric, "passed": "", "certain": ""},
        **_behind(answers, whole),
        "note": "means over the tests at their headline strengths",
    }
    if headlines:
        score, clean, change, unchanged = answers.together(headlines)
        row |= {**_named("score", score), "clean": clean, **_named("change", change), **_named("unchanged", unchanged)}
        judged = [own for own in rows if own["headline"] == "yes" and own["chance"] is not None]
        row |= {name: float(np.mean([own[name] for own in judged])) for name in ("chance", "chance_unchanged")}
    if not made:
        why = doubt(interpretable) if interpretable != SOUND else f"{NO_VERDICT}: no test was made"
        return {**row, "tests_made": 0, "verdict": why}
    passed = sum(own["passed"] == "yes" for own in made)
    return {**row, "tests_passed": passed, "tests_made": len(made), "verdict": f"{passed} of {len(made)} passed"}


def _named(what: str, interval: Interval) -> Row:
    return {what: interval.value, f"{what}_low": interval.low, f"{what}_high": interval.high}


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
