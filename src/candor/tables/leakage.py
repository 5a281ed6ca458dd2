"""What the stage `leakage` hands on."""

from candor.tables.base import Column, Table
from candor.tables.federated import BLOCK, ClientsHeld, FederatedRunSummary, of_table

SHADOWS = "leakage/{dataset}/shadows/{shadow}/{people}"
"""Where the shadow federations of one kind lie, run on the same people."""

SHADOW_PACK = f"{SHADOWS}/updates.pack"
"""What the clients of all these federations sent."""

SHADOW_JSON = f"{SHADOWS}/shadows.json"
"""Who takes part in the shadow federations, how they were run, and what they take of the disk."""

SHADOW_SCHEMA = "shadows/2"

_RUN = "leakage/{dataset}/{run}"

_MODEL = Column("model", "Which of the shadow federations, from 1", "integer")
_ROUND = Column("round", "Round, from 1", "integer")
_CLIENT = Column("client", "Name of the client")


class ShadowClients(Table):
    """Who takes part in the shadow federations."""

    name = "shadow_clients"
    path = f"{SHADOWS}/clients.tsv"
    description = "One row per federation and client. `person` is led by the dataset where it is another one."
    key = ("model", "client")
    columns = (_MODEL, *ClientsHeld.columns)


class ShadowUpdates(Table):
    """Where in their pack the updates of the shadow federations are."""

    name = "shadow_updates"
    path = f"{SHADOWS}/updates.tsv"
    version = 2
    description = "One row per federation, round, client and tensor. Updates that clients noise are kept without noise."
    key = ("model", "round", "client", "layer")
    columns = (
        _MODEL,
        _ROUND,
        _CLIENT,
        Column("layer", "Name of the tensor, such as dense.0.weight"),
        Column("examples", "Examples that the client went through in the round, each time counted", "integer"),
        Column("steps", "Steps that it took", "integer"),
        Column("noise", "Deviation of the noise that the client added to each number before it was sent", "number"),
        *BLOCK,
    )


_WHICH = (
    Column("attribute", "What is read off: a column of the manifest, such as gender"),
    Column(
        "knowledge",
        "undefended: the run has no defence; knows: the attacker's shadows have the run's defence too; does not know: "
        "they have none",
    ),
    Column(
        "attacker",
        "logistic: logistic regression on the update; cnn: fed-ser-leakage's network on it; norms: how long weight and "
        "bias are, and no more; labels: the client's shares of each class, and no update at all",
    ),
    Column("layer", "Which layer's weight and bias he sees; all; or none, of `labels`"),
)
_METRIC = Column("metric", "uar, or auc: of several values each against the others, by how often it occurs")
_FOUND = (
    Column("value", "The figure; blank where there is none", "number", blank=True),
    Column("low", "Lower end of its 95 % interval, clustered by person; blank with one", "number", blank=True),
    Column("high", "Upper end of it", "number", blank=True),
)


class LeakageAttacks(Table):
    """What is read off the updates of a run."""

    name = "leakage_attacks"
    path = f"{_RUN}/attacks.tsv"
    description = (
        "One row per attribute, knowledge, attacker, layer, number of updates and metric. The people attacked are "
        "clients of the run; the attacker has learned from others."
    )
    key = ("attribute", "knowledge", "attacker", "layer", "updates", "metric")
    columns = (
        *_WHICH,
        Column("updates", "How many updates of a client are averaged before he looks at them", "integer"),
        _METRIC,
        *_FOUND,
        Column("chance", "What an attacker reaches who sees nothing", "number", blank=True),
        Column("control", "The same attacker taught attributes that were dealt out anew", "number", blank=True),
        Column("control_low", "Lower end of its interval", "number", blank=True),
        Column("control_high", "Upper end of it", "number", blank=True),
        Column("difference", "value − control", "number", blank=True),
        Column("difference_low", "Lower end of its 95 % interval, paired, clustered by person", "number", blank=True),
        Column("difference_high", "Upper end of it", "number", blank=True),
        Column("fold_mean", "Mean of the figures of single folds", "number", blank=True),
        Column("fold_sd", "Standard deviation of these; blank with one fold", "number", blank=True),
        Column(
            "dev",
            "The same of single updates of shadow people held out, mean over them and folds; by the AUC the headline "
            "is chosen",
            "number",
            blank=True,
        ),
        Column(
            "seen",
            "Updates that were averaged, in the mean: some clients sent fewer than asked for",
            "number",
            blank=True,
        ),
        Column("tested", "Updates, or averages of some, that were attacked", "integer", blank=True),
        Column("people", "Whose these are", "integer", blank=True),
        Column("folds", "Folds with a figure", "integer", blank=True),
        Column(
            "verdict",
            "beyond control: the intervals of value and difference lie beyond chance and 0; not beyond control; too "
            "few speakers, which give no interval; not attacked, with the reason",
        ),
        Column("note", "What else there is to know", blank=True),
    )


class LeakageRounds(Table):
    """What is read off single updates, round by round."""

    name = "leakage_rounds"
    path = f"{_RUN}/rounds.tsv"
    description = "One row per attribute, knowledge, attacker, layer and round: the UAR of all folds."
    key = ("attribute", "knowledge", "attacker", "layer", "round")
    columns = (
        *_WHICH,
        _ROUND,
        *_FOUND,
        Column("chance", "What an attacker reaches who sees nothing", "number"),
        Column("tested", "Updates that were attacked", "integer"),
    )


class LeakageScores(Table):
    """What attackers say of each update."""

    name = "leakage_scores"
    path = f"{_RUN}/scores.tsv"
    description = "One row per attribute, knowledge, attacker, layer, fold, round and client, of single updates."
    key = ("attribute", "knowledge", "attacker", "layer", "fold", "round", "client")
    columns = (
        *_WHICH,
        Column("fold", "Fold of the run", "integer"),
        _ROUND,
        _CLIENT,
        Column("person", "Whose update it is"),
        Column("truth", "The person's attribute"),
        Column("said", "What the attacker takes it for"),
        Column("p", "How likely he takes the truth to be", "number"),
    )


class LeakageSummary(Table):
    """What the updates of all runs on a dataset give away, and what that costs in recognition."""

    name = "leakage_summary"
    path = "leakage/{dataset}/summary.tsv"
    description = "Rows of `attacks.tsv` of all runs, with what each run recognises and which guarantee it has."
    key = ("dataset", "run", *LeakageAttacks.key)
    columns = (
        Column("dataset", "Dataset"),
        Column("run", "The federation that is attacked"),
        Column("backbone", "Whose features its clients have"),
        Column("entry", "Its entry of the config"),
        Column("model_type", "Its algorithm"),
        *of_table(FederatedRunSummary, "defence", "epsilon", "epsilon_updates", "delta", "claimed_epsilon"),
        Column("shadows", "Whom the attacker learned from"),
        Column("ser_uar", "UAR of emotion on test speakers", "number"),
        Column("ser_accuracy", "Accuracy of emotion on them", "number"),
        *LeakageAttacks.columns,
        Column(
            "headline",
            "yes for the attack that stands for the run, UAR and AUC: by AUC the best on shadow people held out",
        ),
    )


class PublishedRecognition(Table):
    """How well emotion is recognised, in the arrangement of fed-ser-leakage."""

    name = "published_recognition"
    path = "leakage/{dataset}/published_recognition.tsv"
    description = "One row per backbone: accuracy and UAR of each run that is attacked, by its entry of the config."
    key = ("dataset", "backbone")
    columns = (
        Column("dataset", "Dataset"),
        Column("backbone", "Whose features"),
        Column("accuracy_*", "Accuracy on test speakers, one column per entry", "number", blank=True),
        Column("uar_*", "UAR on them, likewise", "number", blank=True),
    )


class PublishedLayers(Table):
    """What is read off each layer, in the arrangement of fed-ser-leakage."""

    name = "published_layers"
    path = "leakage/{dataset}/published_layers.tsv"
    description = (
        "One row per backbone, entry, attribute, attacker and what he knows: his UAR off one update, by layer."
    )
    key = ("dataset", "backbone", "entry", "attribute", "knowledge", "attacker")
    columns = (
        Column("dataset", "Dataset"),
        Column("backbone", "Whose features"),
        Column("entry", "Entry of the config, with ε where it has several"),
        *_WHICH[:3],
        Column("uar_*", "UAR, one column per layer and one for all", "number", blank=True),
    )


class PublishedDefences(Table):
    """What is read off under defences, in the arrangement of fed-ser-leakage."""

    name = "published_defences"
    path = "leakage/{dataset}/published_defences.tsv"
    description = (
        "One row per run, attribute and what the attacker knows: which ε holds or is claimed, recognition, and UAR and "
        "AUC of the attack that stands for the run, by how many updates are seen."
    )
    key = ("dataset", "run", "attribute", "knowledge")
    columns = (
        Column("dataset", "Dataset"),
        Column("run", "The federation that is attacked"),
        *of_table(FederatedRunSummary, "defence", "epsilon", "epsilon_updates", "claimed_epsilon", "delta"),
        _WHICH[0],
        _WHICH[1],
        Column("ser_uar", "UAR of emotion on test speakers", "number"),
        Column("uar_*", "UAR of the attack, one column per number of updates", "number", blank=True),
        Column("auc_*", "Its AUC, likewise", "number", blank=True),
    )


class Inversions(Table):
    """How much of what a client holds can be had back from its gradient."""

    name = "inversions"
    path = f"{_RUN}/inversion.tsv"
    description = "One row per client whose gradient was inverted; made for `fed_sgd`, whose clients send gradients."
    key = ("fold", "round", "client")
    columns = (
        Column("fold", "Fold of the run", "integer"),
        _ROUND,
        _CLIENT,
        Column("person", "Whose clips it holds", blank=True),
        Column("examples", "How many the gradient is the mean of", "integer"),
        Column("cosine", "Cosine of the reconstructed embeddings to the true ones, mean over the best pairs", "number"),
        Column("close", "Share of them with a cosine above 0.9", "number"),
        Column("exact", "Share of the reconstructions that were solved for; the others are guesses", "number"),
        Column("cosine_of_others", "The same of embeddings of as many clips of other people", "number"),
        Column("cosine_of_mean", "The same of the one embedding that the gradient's mean row points to", "number"),
        Column("labels", "Share of the classes of its examples that were told right", "number"),
        Column("gender", "The person's gender; blank where not known", blank=True),
        Column("read", "What a classifier of other people's embeddings takes the reconstruction for", blank=True),
        Column("read_off_truth", "What it takes the true embeddings for", blank=True),
    )


ATTACKS_MADE_OF = f"{_RUN}/attacks.json"
"""How the attacks on a run were made: settings, who was learned from, hashes of inputs, versions."""

LEAKAGE_LAYERS_FIGURE = f"{_RUN}/layers.png"
"""What is read off each layer, by each attacker, beside the controls; and by how many updates are seen."""

LEAKAGE_ROUNDS_FIGURE = f"{_RUN}/rounds.png"
"""What is read off the updates of each round."""

INVERSION_MADE_OF = f"{_RUN}/inversion.json"
"""How gradients were inverted: how much was tried, hashes of inputs, versions."""

INVERSION_FIGURE = f"{_RUN}/inversion.png"
"""How near reconstructions come to the truth."""

TRADEOFF_FIGURE = "leakage/{dataset}/tradeoff.png"
"""Recognition against what is read off, over ε."""

PUBLISHED_FIGURE = "leakage/{dataset}/published_layers.png"
"""What is read off each layer, by backbone and entry."""

PUBLISHED_LATEX = "leakage/{dataset}/published.tex"
PUBLISHED_MARKDOWN = "leakage/{dataset}/published.md"
"""The tables in the arrangement of fed-ser-leakage, for a paper and for a page."""
