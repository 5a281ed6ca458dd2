"""What the stage `performance` hands on."""

from candor.tables.base import Column, Table

METRIC_NAMES = {"uar": "UAR", "accuracy": "accuracy", "macro_f1": "macro-F1", "ccc": "CCC", "mae": "MAE"}
"""What metrics are called in figures and papers."""

_SUMMARY = (
    Column("dataset", "Dataset"),
    Column("backbone", "Backbone"),
    Column("recipe", "Recipe of the models"),
    Column("metric", "uar, accuracy or macro_f1 of emotions; ccc or mae of ratings"),
    Column("value", "The metric over the test utterances of all folds, averaged over seeds", "number"),
    Column("low", "Lower end of the 95 % interval, clustered by speaker; blank with one speaker", "number", blank=True),
    Column("high", "Upper end of it", "number", blank=True),
    Column("fold_sd", "Standard deviation over folds of the seeds' mean; blank with one fold", "number", blank=True),
    Column("seed_sd", "Standard deviation over seeds; blank with one seed", "number", blank=True),
    Column(
        "chance",
        "What a model that hears nothing reaches: the better of uniform guessing and always saying the most frequent "
        "class; for ratings that of always saying the mean",
        "number",
    ),
    Column("interpretable", "yes, at chance or one class: whether audits of the models mean anything"),
    Column("utterances", "Test utterances", "integer"),
    Column("speakers", "Their speakers; those who are not known count once per session", "integer"),
    Column("speakers_in_train", "Test speakers who are also in train; 0 for disjoint folds", "integer"),
    Column("speakers_in_pretraining", "Test speakers whose audio the backbone was pretrained on here", "integer"),
    Column("folds", "Folds", "integer"),
    Column("seeds", "Seeds", "integer"),
)


class Summary(Table):
    """How well emotion is recognised in a dataset, by every backbone and recipe."""

    name = "summary"
    version = 3
    path = "performance/{dataset}/summary.tsv"
    description = "One row per backbone, recipe and metric."
    key = ("dataset", "backbone", "recipe", "metric")
    columns = _SUMMARY


class RunSummary(Table):
    """How well one backbone with one recipe recognises emotion."""

    name = "run_summary"
    version = 3
    path = "performance/{dataset}/{backbone}/{recipe}/summary.tsv"
    description = "One row per metric."
    key = ("metric",)
    columns = _SUMMARY


class PerClass(Table):
    """How well each emotion is recognised."""

    name = "per_class"
    path = "performance/{dataset}/{backbone}/{recipe}/per_class.tsv"
    description = "One row per class, in their order; figures are averages over seeds."
    key = ("class",)
    columns = (
        Column("class", "Emotion"),
        Column("recall", "Share of its utterances that is recognised; blank where it has none", "number", blank=True),
        Column("low", "Lower end of the 95 % interval of the recall; blank with one speaker", "number", blank=True),
        Column("high", "Upper end of it", "number", blank=True),
        Column("precision", "Share of its predictions that is right; 0 where it is never predicted", "number"),
        Column("f1", "Harmonic mean of precision and recall", "number"),
        Column("utterances", "Test utterances of the class", "integer"),
        Column("speakers", "Speakers with such utterances", "integer"),
        Column("confused_with", "Class that its utterances are most often taken for; blank if none", blank=True),
    )


class ConfusionCounts(Table):
    """What is taken for what."""

    name = "confusion"
    path = "performance/{dataset}/{backbone}/{recipe}/confusion.tsv"
    description = "One row per true and predicted class."
    key = ("label", "predicted")
    columns = (
        Column("label", "True emotion"),
        Column("predicted", "Emotion predicted"),
        Column("count", "Test utterances, summed over seeds", "integer"),
        Column("share", "Their share of the label's; blank where the label does not occur", "number", blank=True),
    )


CONFUSION_FIGURE = "performance/{dataset}/{backbone}/{recipe}/confusion.png"
"""The confusion matrix as a picture, with recalls and their intervals."""

RANKING_FIGURE = "performance/{dataset}/ranking.png"
"""Backbones and recipes by UAR, with intervals."""

EVALUATED = "performance/{dataset}/{backbone}/{recipe}/evaluated.json"
"""Which predictions a summary was made of: the hashes of their files, folds, seeds, versions."""

RATING_FIGURE = "performance/{dataset}/{backbone}/{recipe}/ratings.png"
"""Ratings foretold over true ones, where arousal or valence is predicted."""
