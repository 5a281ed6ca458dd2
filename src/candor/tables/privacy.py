"""What the stage `privacy` hands on."""

from candor.tables.base import Column, Table

ATTRIBUTE_NAMES = {
    "gender": "gender",
    "speaker": "which of all speakers",
    "verification": "same speaker or not",
    "membership": "trained on or not",
}
"""What attacked attributes are called in figures."""

METRIC_NAMES = {
    "uar": "UAR",
    "accuracy": "accuracy",
    "eer": "equal error rate",
    "auc": "AUC",
    "tpr": "hits at 1 % false alarms",
}

_WHICH = (
    Column(
        "attribute",
        "gender; speaker: who of all speakers it is; verification: whether two utterances are of one speaker; "
        "membership: whether the model was trained on the utterance",
    ),
    Column(
        "source",
        "What the attacker is given: layer 0, layer 1, … of the backbone; all layers; the trained head's embedding; or "
        "its outputs",
    ),
    Column("attacker", "linear, cnn, or threshold"),
    Column(
        "metric",
        "uar of gender; accuracy of speakers, its mean over them; eer of verification, of which a low one is the leak; "
        "auc, and tpr: the share of members found while 1 % of the others are taken for some",
    ),
)
_FOUND = (
    Column("value", "The figure; blank where there is none", "number", blank=True),
    Column("low", "Lower end of its 95 % interval, clustered by speaker; blank with one", "number", blank=True),
    Column("high", "Upper end of it", "number", blank=True),
    Column(
        "chance",
        "What an attacker reaches who hears nothing; of tpr (k + 1)/(n + 1) with n others, of whom k are 1 % at most, "
        "on average over models",
        "number",
        blank=True,
    ),
    Column("control", "The same attack where labels were dealt out anew", "number", blank=True),
    Column("control_low", "Lower end of its interval", "number", blank=True),
    Column("control_high", "Upper end of it", "number", blank=True),
    Column("difference", "value − control", "number", blank=True),
    Column("difference_low", "Lower end of its 95 % interval, paired, clustered by speaker", "number", blank=True),
    Column("difference_high", "Upper end of it", "number", blank=True),
    Column("fold_mean", "Mean of the figures of single folds", "number", blank=True),
    Column("fold_sd", "Standard deviation of these; blank with one fold", "number", blank=True),
    Column(
        "dev",
        "UAR over the dev speakers of all folds, by which the headline of gender is chosen; blank for other attributes",
        "number",
        blank=True,
    ),
    Column("utterances", "Utterances that were tested", "integer", blank=True),
    Column("speakers", "Their speakers; those who are not known count once per session", "integer", blank=True),
    Column("folds", "Folds with a figure", "integer", blank=True),
    Column(
        "left_out",
        "Utterances that take no part: without a known gender; for speakers those who are not known, have fewer than "
        "four utterances or say one sentence only",
        "integer",
        blank=True,
    ),
    Column("reads", "frames, pooled states (by the cnn as a single frame), embedding, loss of the outputs", blank=True),
    Column(
        "verdict",
        "beyond control: the intervals of value and difference lie beyond chance and 0; not beyond control; too "
        "few speakers, which give no interval; not interpretable: the models are at chance or say one class; not "
        "attacked, with the reason",
    ),
    Column("note", "What else there is to know: folds left out, how sentences were kept apart", blank=True),
)
_KEY = ("attribute", "source", "attacker", "metric")


class PrivacyLayers(Table):
    """What is read off the layers of a backbone, whatever is trained on them."""

    name = "privacy_layers"
    path = "privacy/{dataset}/{backbone}/{span}/layers.tsv"
    description = "One row per attribute, layer and attacker, and one for all layers together."
    key = _KEY
    columns = (*_WHICH, *_FOUND)


class PrivacyEmbedding(Table):
    """What is read off the emotion embedding of trained models."""

    name = "privacy_embedding"
    path = "privacy/{dataset}/{backbone}/{recipe}/embedding.tsv"
    description = "One row per attribute and attacker; none where only membership is attacked."
    key = _KEY
    columns = (*_WHICH, *_FOUND)


class MemberLosses(Table):
    """How much each model loses on what it was trained on, and on what it never heard."""

    name = "member_losses"
    path = "privacy/{dataset}/{backbone}/{recipe}/losses.tsv"
    description = (
        "One row per utterance of train and test, fold and seed; none where membership is not attacked. Dev is left "
        "out, as it chose the epoch."
    )
    key = ("utterance", "fold", "seed")
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("speaker", "Who speaks; where not known, the session"),
        Column("fold", "Fold of the model", "integer"),
        Column("seed", "Seed of the model", "integer"),
        Column("member", "yes for an utterance of train, no for one of test"),
        Column("loss", "Unweighted cross-entropy in nat, or the squared error of the rating", "number"),
    )


class MembershipCurve(Table):
    """How many members are found at which share of false alarms."""

    name = "membership_curve"
    path = "privacy/{dataset}/{backbone}/{recipe}/roc.tsv"
    description = "One row per share of false alarms: the mean ROC curve of all models."
    key = ("false_alarms",)
    columns = (
        Column("false_alarms", "Share of the others who are taken for members", "number"),
        Column("hits", "Share of members that are found", "number"),
        Column("low", "Lower end of its 95 % interval, clustered by speaker", "number", blank=True),
        Column("high", "Upper end of it", "number", blank=True),
        Column("control", "The same with membership dealt out anew", "number"),
    )


class PrivacyResult(Table):
    """All that is read off one backbone with one recipe."""

    name = "privacy_result"
    path = "privacy/{dataset}/{backbone}/{recipe}/summary.tsv"
    description = "One row per attribute, source, attacker and metric."
    key = _KEY
    columns = (*_WHICH, *_FOUND, Column("headline", "yes for the rows that stand for the system"))


class PrivacySummary(Table):
    """All that is read off the systems of a dataset."""

    name = "privacy_summary"
    path = "privacy/{dataset}/summary.tsv"
    description = (
        "One row per backbone, recipe, attribute, source, attacker and metric. Rows of layers are the same for all "
        "recipes on a backbone that use as much of each clip."
    )
    key = ("dataset", "backbone", "recipe", *_KEY)
    columns = (
        Column("dataset", "Dataset"),
        Column("backbone", "Backbone"),
        Column("recipe", "Recipe of the models"),
        *PrivacyResult.columns,
    )


LAYERS_MADE_OF = "privacy/{dataset}/{backbone}/{span}/layers.json"
"""How the attacks on layers were made: settings, hashes of inputs, versions."""

EMBEDDING_MADE_OF = "privacy/{dataset}/{backbone}/{recipe}/embedding.json"
"""How the attacks on trained models were made: settings, seeds, hashes of inputs, versions."""

TRUST_SER_PRIVACY = "privacy/{dataset}/{backbone}/{span}/trust_ser.json"
"""Gender in trust-ser's setting and format, with `parity: trust-ser`: UAR and accuracy of fold 1 in per cent."""

LEAKS_FIGURE = "privacy/{dataset}/{backbone}/{recipe}/leaks.png"
"""What is read off each layer, all layers and the embedding."""

MEMBERSHIP_FIGURE = "privacy/{dataset}/{backbone}/{recipe}/membership.png"
"""The ROC curve of membership."""

PRIVACY_SYSTEMS_FIGURE = "privacy/{dataset}/systems.png"
"""The headline figures of every backbone and recipe."""
