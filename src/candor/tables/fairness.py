"""What the stage `fairness` hands on."""

from candor.tables.base import Column, Table

GAP_NAMES = {
    "uar": "UAR",
    "demographic_parity": "demographic parity",
    "statistical_parity": "statistical parity",
    "equality_of_opportunity": "equality of opportunity",
    "equalised_odds": "equalised odds",
    "uar_sd": "sd of UAR over speakers",
    "uar_gini": "Gini of UAR over speakers",
    "uar_worst_decile": "worst tenth of speakers below the mean",
    "ccc": "CCC",
    "mae": "MAE",
}
"""What gaps are called in figures and papers."""

_AXIS = Column("axis", "What utterances are grouped by: a column of the manifest, or two with a plus sign between them")
_NAMES = (Column("dataset", "Dataset"), Column("backbone", "Backbone"), Column("recipe", "Recipe of the models"))

_GAP = (
    _AXIS,
    Column(
        "variant",
        "as spoken; or balanced: with the same share of each emotion in all groups (direct standardisation)",
    ),
    Column(
        "metric",
        "uar, demographic_parity, statistical_parity, equality_of_opportunity, equalised_odds; of speakers also "
        "uar_sd, uar_gini, uar_worst_decile; of ratings ccc, mae. docs/fairness.md has the formulas",
    ),
    Column("aggregate", "max: the worst case over pairs of groups and emotions; mean: the average over both"),
    Column("better", "lower: of two models the one with the lower gap is the fairer one"),
    Column("value", "The gap; blank where there is nothing to compare", "number", blank=True),
    Column("low", "Lower end of its 95 % interval, clustered by speaker; blank without any", "number", blank=True),
    Column("high", "Upper end of it", "number", blank=True),
    Column("p", "How often groups that mean nothing show at least as wide a gap", "number", blank=True),
    Column("p_holm", "The same, adjusted by Holm for the number of axes", "number", blank=True),
    Column("random_mean", "The gap of a model that hears nothing, on average", "number", blank=True),
    Column("random_high", "95 of 100 such models show less: the upper end of the random band", "number", blank=True),
    Column(
        "truth",
        "The gap that a perfect model would show, because groups do not speak emotions equally often",
        "number",
        blank=True,
    ),
    Column("higher", "The group with the higher rate, where the gap is widest", blank=True),
    Column("lower", "The group with the lower rate there", blank=True),
    Column("class", "The emotion in which it is widest; blank where all count together", blank=True),
    Column("fold_mean", "Mean of the gaps within single folds", "number", blank=True),
    Column("fold_sd", "Standard deviation of these", "number", blank=True),
    Column("folds", "Folds in which there is something to compare", "integer"),
    Column("groups", "Groups that are compared", "integer"),
    Column("utterances", "Their test utterances", "integer"),
    Column("speakers", "Their speakers", "integer"),
    Column(
        "verdict",
        "beyond chance: p_holm is at most 0.05 and the gap lies above the random band; within chance; too few "
        "speakers; not interpretable: the models are at chance or say one class; cannot be told apart: an emotion is "
        "not spoken by all groups; nothing to compare",
    ),
    Column("note", "Why, in words", blank=True),
)


class Gaps(Table):
    """How differently one backbone with one recipe serves groups of speakers."""

    name = "gaps"
    path = "fairness/{dataset}/{backbone}/{recipe}/gaps.tsv"
    description = "One row per axis, variant, metric and aggregate. Lower is better."
    key = ("axis", "variant", "metric", "aggregate")
    columns = _GAP


class FairnessSummary(Table):
    """How differently every backbone and recipe serves groups of speakers."""

    name = "fairness_summary"
    path = "fairness/{dataset}/summary.tsv"
    description = "The rows of `gaps` of all systems of a dataset. Lower is better."
    key = ("dataset", "backbone", "recipe", "axis", "variant", "metric", "aggregate")
    columns = (*_NAMES, *_GAP)


class Groups(Table):
    """How well each group of speakers is served."""

    name = "groups"
    path = "fairness/{dataset}/{backbone}/{recipe}/groups.tsv"
    description = "One row per group, also those that are not compared; higher is better, but for the MAE."
    key = ("axis", "group")
    columns = (
        _AXIS,
        Column("group", "The group; `not known` for utterances of which the corpus does not say"),
        Column("metric", "uar or ccc: what `value` is"),
        Column("value", "The metric over the group's test utterances, averaged over seeds", "number", blank=True),
        Column("low", "Lower end of its 95 % interval, clustered by speaker", "number", blank=True),
        Column("high", "Upper end of it", "number", blank=True),
        Column("accuracy", "Share of its utterances that is recognised", "number", blank=True),
        Column("mae", "Mean absolute error of the ratings", "number", blank=True),
        Column("utterances", "Test utterances", "integer"),
        Column("speakers", "Their speakers", "integer"),
        Column("worst", "yes for the group of the axis that is served worst"),
        Column("compared", "yes, or why not"),
    )


class GroupRecalls(Table):
    """How each emotion is recognised in each group."""

    name = "group_recalls"
    path = "fairness/{dataset}/{backbone}/{recipe}/recalls.tsv"
    description = "One row per group that is compared and emotion; averages over seeds."
    key = ("axis", "group", "class")
    columns = (
        _AXIS,
        Column("group", "The group"),
        Column("class", "Emotion"),
        Column("recall", "Share of its utterances that is recognised; blank without any", "number", blank=True),
        Column("low", "Lower end of the 95 % interval, clustered by speaker", "number", blank=True),
        Column("high", "Upper end of it", "number", blank=True),
        Column("said", "Share of the group's utterances that the models take for this emotion", "number"),
        Column("utterances", "Test utterances of this emotion", "integer"),
        Column("speakers", "Their speakers", "integer"),
    )


class GroupConfusions(Table):
    """What is taken for what in each group."""

    name = "group_confusions"
    path = "fairness/{dataset}/{backbone}/{recipe}/confusion.tsv"
    description = "One row per group that is compared, true and predicted emotion."
    key = ("axis", "group", "label", "predicted")
    columns = (
        _AXIS,
        Column("group", "The group"),
        Column("label", "True emotion"),
        Column("predicted", "Predicted emotion"),
        Column("count", "Test utterances, averaged over seeds", "number"),
        Column("share", "Their share of the true emotion in the group; blank where it has none", "number", blank=True),
    )


class FoldGaps(Table):
    """Gaps within single folds."""

    name = "fold_gaps"
    path = "fairness/{dataset}/{backbone}/{recipe}/folds.tsv"
    description = "One row per axis, variant, metric, aggregate and fold in which there is something to compare."
    key = ("axis", "variant", "metric", "aggregate", "fold")
    columns = (
        _AXIS,
        Column("variant", "As in `gaps`"),
        Column("metric", "As in `gaps`"),
        Column("aggregate", "As in `gaps`"),
        Column("fold", "Fold", "integer"),
        Column("value", "The gap among the fold's test utterances", "number"),
        Column("groups", "Groups that have utterances in the fold", "integer"),
        Column("utterances", "Their test utterances", "integer"),
    )


AUDITED = "fairness/{dataset}/{backbone}/{recipe}/audited.json"
"""What the audit was made of: groups, draws, hashes of inputs, versions."""

GAPS_FIGURE = "fairness/{dataset}/{backbone}/{recipe}/gaps.png"
"""Gaps with their intervals against the random band."""

SPEAKERS_FIGURE = "fairness/{dataset}/{backbone}/{recipe}/speakers.png"
"""How well each speaker is recognised, emotion by emotion."""

GROUPS_FIGURE = "fairness/{dataset}/{backbone}/{recipe}/groups.png"
"""What is taken for what in each group."""

SYSTEMS_FIGURE = "fairness/{dataset}/summary.png"
"""The widest gaps of all backbones and recipes."""

TRUST_SER_FAIRNESS = "fairness/{dataset}/{backbone}/{recipe}/trust_ser.json"
"""trust-ser's own three figures in its own format, where `fairness.parity` asks for them."""
