"""What the stage `trust` hands on."""

from candor.tables.base import Column, Table

AXES = ("performance", "fairness", "attack", "privacy", "robustness", "cost")
"""What a profile tells of, each the headline figure of the stage of that name, in the order of the radar."""

_NAMES = (Column("dataset", "Dataset"), Column("backbone", "Backbone"), Column("recipe", "Recipe of the models"))


def _figure(name: str, what: str) -> tuple[Column, ...]:
    """Return the columns of a figure with its interval."""
    return (
        Column(name, f"{what}; blank where there is none", "number", blank=True),
        Column(f"{name}_low", "Lower end of its 95 % interval over speakers", "number", blank=True),
        Column(f"{name}_high", "Upper end of it", "number", blank=True),
    )


_PROFILE = (
    *_NAMES,
    Column("metric", "uar or ccc: what `performance` is"),
    Column("interpretable", "yes; at chance or one class: then no other figure of the row means anything"),
    Column("chance", "What a model that hears nothing reaches in this metric", "number"),
    *_figure("performance", "UAR or CCC over all test utterances; higher is better"),
    Column("fairness_by", "What groups are told apart by", blank=True),
    *_figure("fairness", "Widest gap in this metric between two of these groups; lower is better"),
    Column("fairness_random", "95 of 100 models that hear nothing show less", "number", blank=True),
    Column("fairness_verdict", "Whether the gap is beyond chance, or why there is none"),
    Column("attack_by", "Attack and signal-to-noise ratio", blank=True),
    Column(
        "attack_transfer",
        "yes or no: whether it follows another backbone's gradient, a weaker attack; blank where none was made",
        blank=True,
    ),
    *_figure("attack", "Share of the utterances that were right and are mistaken under attack; lower is better"),
    Column("attack_control", "The same under random signs as loud", "number", blank=True),
    Column("attack_verdict", "Whether that is beyond the control, or why there is none"),
    *_figure("privacy", "UAR with which gender is read from the emotion embedding; 0.5 is chance, lower is better"),
    *_figure(
        "privacy_layers", "The same from the layer of the backbone, or all of them, that tells most on dev speakers"
    ),
    *_figure(
        "privacy_speaker",
        "Equal error rate of speaker verification by the emotion embedding; 0.5 is chance, higher is better",
    ),
    *_figure(
        "privacy_membership",
        "Area under the ROC with which training utterances are told from others; 0.5 is chance, lower is better",
    ),
    Column("privacy_verdict", "Whether gender is read beyond the control, or why there is no figure"),
    *_figure(
        "robustness",
        "Share of predictions that disturbances leave as they are, mean of the tests at their headline strengths; "
        "higher is better",
    ),
    Column("tests_passed", "Tests of robustness that are passed", "integer", blank=True),
    Column("tests_made", "Tests that were made", "integer", blank=True),
    Column("robustness_verdict", "How many tests are passed, or why there is none", blank=True),
    Column("cost", "FLOPs per second of speech, backbone and head; lower is better", "number", blank=True),
    Column("parameters", "Parameters that run", "integer", blank=True),
    Column("trainable", "Parameters that the recipe trained", "integer", blank=True),
    Column("cost_note", "Why nothing is counted; blank where something is", blank=True),
    Column("utterances", "Test utterances", "integer"),
    Column("speakers", "Their speakers", "integer"),
)  # fmt: skip


class TrustProfile(Table):
    """The trust profile of every backbone and recipe of a dataset."""

    name = "trust"
    version = 2
    path = "trust/{dataset}/summary.tsv"
    description = "One row per backbone and recipe, the best recognising one first. Shares and metrics are from 0 to 1."
    key = ("dataset", "backbone", "recipe")
    columns = _PROFILE


class TrustOverview(Table):
    """The trust profiles of all datasets."""

    name = "trust_overview"
    version = 2
    path = "trust/summary.tsv"
    description = "The rows of `trust` of every dataset at hand, one dataset after the other."
    key = ("dataset", "backbone", "recipe")
    columns = _PROFILE


class TrustAxes(Table):
    """What the radar draws: each headline figure with its place on its scale."""

    name = "trust_axes"
    path = "trust/{dataset}/axes.tsv"
    description = (
        "One row per backbone, recipe and axis. `place` is 0 at the centre of the radar and 1 at its rim; outer is "
        "better on every axis."
    )
    key = ("dataset", "backbone", "recipe", "axis")
    columns = (
        *_NAMES,
        Column("axis", f"{', '.join(AXES)}"),
        Column("quantity", "What is measured"),
        *_figure("value", "The figure"),
        Column("better", "higher or lower"),
        Column("centre", "Value at the centre of the radar", "number"),
        Column("rim", "Value at its rim", "number"),
        Column("scale", "linear or logarithmic"),
        *_figure("place", "Where the figure lies between centre and rim; what lies beyond is drawn at the end"),
        Column("beside", "What chance or the control shows; blank without one", "number", blank=True),
        Column("beside_place", "Where that lies", "number", blank=True),
        Column("beside_what", "What it is", blank=True),
        Column("note", "Verdict, or why there is no figure", blank=True),
    )


RADAR_FIGURE = "trust/{dataset}/radar.png"
"""The profile of every backbone and recipe on six axes with printed scales; outer is better."""

TRUST_LATEX = "trust/{dataset}/summary.tex"
"""The profiles as a table for a paper; it needs the package booktabs."""

TRUST_MARKDOWN = "trust/{dataset}/summary.md"
"""The profiles as a table for a page."""

DATASETS_FIGURE = "trust/datasets.png"
"""The headline figures of all systems, datasets side by side."""

OVERVIEW_LATEX = "trust/summary.tex"
"""The profiles of all datasets as a table for a paper."""

OVERVIEW_MARKDOWN = "trust/summary.md"
"""The profiles of all datasets as a table for a page."""
