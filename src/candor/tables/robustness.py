"""What the stage `robustness` hands on."""

from __future__ import annotations

from candor.tables.base import Column, Table

_WHICH = (
    Column("utterance", "Name of the utterance"),
    Column("fold", "Fold in which it is tested", "integer"),
    Column("seed", "Seed of the model", "integer"),
    Column("test", "How it was disturbed: white_noise and so on"),
    Column("strength", "How strongly, in the unit of the test", "number"),
)
_HOW = (
    Column(
        "realised_snr",
        "How far speech is above what was added, once that was written as 16 bits; blank where nothing is added",
        "number",
        "dB",
        blank=True,
    ),
    Column(
        "status",
        "disturbed; silent for one without a sound, to which no noise is added; or why it is left out: too short, no "
        "other speaker",
    ),
)


class Disturbed(Table):
    """What models say of disturbed speech."""

    name = "disturbed"
    path = "robustness/{dataset}/{backbone}/{recipe}/disturbed.tsv"
    description = (
        "One row per utterance that was drawn, seed, test and strength, of datasets that predict emotion. What is "
        "said of the utterance as recorded stands in `predictions.tsv` of the models."
    )
    key = ("utterance", "fold", "seed", "test", "strength")
    columns = (
        *_WHICH,
        Column("predicted", "Emotion that the model hears; blank where the utterance is left out", blank=True),
        *_HOW,
    )


class DisturbedRatings(Table):
    """What models foretell of disturbed speech."""

    name = "disturbed_ratings"
    path = "robustness/{dataset}/{backbone}/{recipe}/disturbed.tsv"
    description = "The same for datasets that predict arousal or valence."
    key = ("utterance", "fold", "seed", "test", "strength")
    columns = (
        *_WHICH,
        Column(
            "predicted", "Rating that the model foretells; blank where the utterance is left out", "number", blank=True
        ),
        *_HOW,
    )


def disturbed_table(pred: str) -> type[Disturbed] | type[DisturbedRatings]:
    """Return the table of what models say of disturbed speech, by what they predict."""
    return Disturbed if pred == "emotion" else DisturbedRatings


_RESULT = (
    Column("test", "How speech was disturbed; `all` for the mean over all tests at their headline strengths"),
    Column("strength", "How strongly; blank for `all`", "number", blank=True),
    Column("unit", "Of the strength; blank for `all`", blank=True),
    Column("headline", "yes for the strength at which the test is passed or failed, and for `all`"),
    Column("metric", "uar, or ccc where ratings are predicted"),
    Column("score", "UAR or CCC of the disturbed utterances", "number", blank=True),
    Column(
        "score_low",
        "Lower end of its 95 % interval, clustered by speaker; blank with one speaker",
        "number",
        blank=True,
    ),
    Column("score_high", "Upper end of it", "number", blank=True),
    Column("clean", "The same of these utterances as recorded", "number", blank=True),
    Column("change", "score − clean. Below 0 is worse", "number", blank=True),
    Column("change_low", "Lower end of its 95 % interval, paired, clustered by speaker", "number", blank=True),
    Column("change_high", "Upper end of it", "number", blank=True),
    Column("p", "Two-sided p of the swap test between disturbed and clean; not adjusted", "number", blank=True),
    Column(
        "random_low",
        "5 of 100 models that hear nothing lose more: they answer each emotion as often as this one, before and after",
        "number",
        blank=True,
    ),
    Column(
        "unchanged",
        "Share of predictions that stay the same; of ratings, that move by less than 5 % of the scale",
        "number",
        blank=True,
    ),
    Column("unchanged_low", "Lower end of its 95 % interval, clustered by speaker", "number", blank=True),
    Column("unchanged_high", "Upper end of it", "number", blank=True),
    Column(
        "chance_unchanged",
        "The share that would stay the same if what is said after had nothing to do with what is said before",
        "number",
        blank=True,
    ),
    Column("least_change", "What `change` has to exceed; blank where it has no part in the test", "number", blank=True),
    Column("least_unchanged", "What `unchanged` has to exceed", "number", blank=True),
    Column("passed", "yes or no; blank at other strengths, and where there is no verdict", blank=True),
    Column(
        "certain",
        "Whether the intervals bear it out: yes where those of a test passed lie above both thresholds, or one of a "
        "test failed lies below",
        blank=True,
    ),
    Column("tests_passed", "Tests that were passed; of `all`", "integer", blank=True),
    Column("tests_made", "Tests that there is a verdict on; of `all`", "integer", blank=True),
    Column("chance", "What the better of two models that hear nothing would score", "number", blank=True),
    Column("fold_sd", "Standard deviation of the change over folds", "number", blank=True),
    Column("realised_snr", "Mean of the ratios that were reached", "number", "dB", blank=True),
    Column("utterances", "Utterances behind it", "integer"),
    Column("speakers", "Their speakers; those who are not known count once per session", "integer"),
    Column("folds", "Folds", "integer"),
    Column("seeds", "Seeds whose models were tested"),
    Column(
        "verdict",
        "passed; failed, and by what; within chance where only the score fails, and by no more than models lose that "
        "hear nothing; not interpretable; no verdict, with the reason; blank at other strengths",
        blank=True,
    ),
    Column("note", "Which utterances took no part or stayed as they were; whose thresholds these are", blank=True),
)


class RobustnessResult(Table):
    """How disturbed speech changes what one backbone with one recipe says."""

    name = "robustness_result"
    path = "robustness/{dataset}/{backbone}/{recipe}/summary.tsv"
    description = "One row per test and strength, and one for all tests together."
    key = ("test", "strength")
    columns = _RESULT


class RobustnessSummary(Table):
    """How disturbed speech changes what models say in a dataset, for every backbone and recipe."""

    name = "robustness_summary"
    path = "robustness/{dataset}/summary.tsv"
    description = "One row per backbone, recipe, test and strength, and one per system for all tests together."
    key = ("dataset", "backbone", "recipe", "test", "strength")
    columns = (
        Column("dataset", "Dataset"),
        Column("backbone", "Backbone of the models"),
        Column("recipe", "Recipe of the models"),
        *_RESULT,
    )


ROBUSTNESS_MADE_OF = "robustness/{dataset}/{backbone}/{recipe}/disturbed.json"
"""How it was made: tests, seeds, models, hashes of inputs, versions."""

ROBUSTNESS_CURVES_FIGURE = "robustness/{dataset}/{backbone}/{recipe}/curves.png"
"""Predictions that stay the same, and change of the score, over the strength of each test."""

ROBUSTNESS_TESTS_FIGURE = "robustness/{dataset}/tests.png"
"""Which tests every backbone and recipe passes, and by how much."""
