"""What the stage `performance` hands on about differences between systems, and the files made for papers."""

from candor.tables.base import Column, Table


class Comparison(Table):
    """Which of two systems, tested on the same utterances, recognises emotion better."""

    name = "comparison"
    path = "performance/{dataset}/comparison.tsv"
    description = (
        "One row per metric and pair of systems: every two backbones with the same recipe, "
        "every two recipes on the same backbone."
    )
    key = ("dataset", "metric", "backbone_a", "recipe_a", "backbone_b", "recipe_b")
    columns = (
        Column("dataset", "Dataset"),
        Column("metric", "uar, accuracy or macro_f1 of emotions; ccc or mae of ratings"),
        Column("differ_in", "backbone or recipe: what sets the two systems apart"),
        Column("backbone_a", "Backbone of the first system"),
        Column("recipe_a", "Recipe of the first system"),
        Column("backbone_b", "Backbone of the second system"),
        Column("recipe_b", "Recipe of the second system"),
        Column("value_a", "The metric of the first system, averaged over seeds", "number"),
        Column("value_b", "The metric of the second system", "number"),
        Column("difference", "value_a - value_b", "number"),
        Column(
            "low",
            "Lower end of the 95 % interval of the difference, clustered by speaker; blank with one speaker",
            "number",
            blank=True,
        ),
        Column("high", "Upper end of it", "number", blank=True),
        Column(
            "p", "Two-sided p of swapping the systems speaker by speaker; blank with one speaker", "number", blank=True
        ),
        Column("p_holm", "p adjusted by Holm for all pairs of the table with this metric", "number", blank=True),
        Column(
            "better",
            "The backbone or recipe that is better (p_holm at most 0.05), `not told apart`, or `too few speakers` "
            "where no outcome of the test could have told any pair apart",
        ),
        Column("pairs", "Pairs of the table, for all of which p_holm makes up", "integer"),
        Column("utterances", "Test utterances", "integer"),
        Column("speakers", "Their speakers; those who are not known count once per session", "integer"),
        Column("seeds_a", "Seeds of the first system", "integer"),
        Column("seeds_b", "Seeds of the second system", "integer"),
    )


COMPARISON_FIGURE = "performance/{dataset}/comparison.png"
"""Differences between systems with their intervals, the greatest first."""

SUMMARY_LATEX = "performance/{dataset}/summary.tex"
"""The summary as a table for a paper; it needs the package booktabs."""

SUMMARY_MARKDOWN = "performance/{dataset}/summary.md"
"""The summary as a table for a page."""

COMPARISON_LATEX = "performance/{dataset}/comparison.tex"
"""The differences in UAR as a table for a paper; it needs the package booktabs."""

COMPARISON_MARKDOWN = "performance/{dataset}/comparison.md"
"""The differences in UAR as a table for a page."""
