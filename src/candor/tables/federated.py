"""What the stage `federated` hands on.

Updates of clients and global models of rounds lie in packs: files of tensors, each compressed on its own. An index says
what is where; `candor.tables.packing` writes and reads packs.
"""

from candor.tables.base import Column, Table
from candor.tables.comparison import Comparison
from candor.tables.models import Predictions
from candor.tables.performance import Summary

FOLD = "federated/{dataset}/{run}/fold{fold}"
"""Where all that is kept of one fold of a run lies."""

RUN_SCHEMA = "federated_run/2"
"""What stands as `schema` in the facts of a run: their name and version, as in the column of that name of a table."""

_ROUND = Column("round", "Round, from 1", "integer")
_CLIENT = Column("client", "Name of the client")
_LAYER = Column("layer", "Name of the tensor, such as dense.0.weight")
BLOCK = (
    Column("offset", "Where in the pack its block begins", "integer", "B"),
    Column("size", "How long the block is", "integer", "B"),
    Column("shape", "Shape of the tensor, such as 256x512; blank for a single number", blank=True),
    Column("precision", "Numbers that it is kept in: float32, float16, int8, int4, or int64 for whole numbers"),
    Column(
        "scale",
        "Its largest magnitude, of which the numbers kept as float16 or int8 are shares; blank where they are as they "
        "were",
        "number",
        blank=True,
    ),
    Column("checksum", "First 8 bytes of the BLAKE3 hash of the block, as hexadecimal digits"),
)


class ClientsHeld(Table):
    """Who takes part in a fold, and with what."""

    name = "clients_held"
    path = f"{FOLD}/clients.tsv"
    description = (
        "One row per client. No test example is among its own; a test speaker may be one of its people where an "
        "official partition has it so."
    )
    key = ("client",)
    columns = (
        _CLIENT,
        Column("person", "Whose data it holds, where all is one person's", blank=True),
        Column("gender", "Gender of who speaks, where all its clips agree", blank=True),
        Column("session", "Session, where all its clips agree", blank=True),
        Column("poisoned", "yes where it sends poison in every round"),
        Column("train", "Examples that it learns from", "integer"),
        Column("dev", "Examples that it keeps to judge models on", "integer"),
        Column("n_*", "Its examples of each class, train and dev, one column per class in their order", "integer"),
    )


class Rounds(Table):
    """How the model that all train together went from round to round."""

    name = "rounds"
    path = f"{FOLD}/rounds.tsv"
    description = (
        "One row per round. Test data has no part in it. Cells of dev are blank in rounds after which the model was "
        "not judged."
    )
    key = ("round",)
    columns = (
        _ROUND,
        Column("chosen", "Clients that were asked to take part", "integer"),
        Column("answered", "Those whose updates were taken in, late ones and broken ones left out", "integer"),
        Column("rejected", "Those whose updates were turned away, as they held numbers that are none", "integer"),
        Column("examples", "Examples that those who answered went through, each time counted", "integer"),
        Column(
            "train_loss",
            "Mean over these of the loss, before each step; blank if nobody answered",
            "number",
            blank=True,
        ),
        Column("update_norm", "Euclidean norm of the step of the global model; 0 if it took none", "number"),
        Column("dev_loss", "Loss over the validation examples of all clients together", "number", blank=True),
        Column("dev_accuracy", "Accuracy over the same", "number", blank=True),
        Column("dev_uar", "UAR over the same", "number", blank=True),
        Column("clients_uar", "Mean of the clients' own UAR, weighted by their examples", "number", blank=True),
        Column("bytes_down", "What the server sent to clients", "integer", "B"),
        Column("bytes_up", "What clients sent to the server", "integer", "B"),
        Column("selected", "yes for the round whose model is tested, no for others"),
    )


class Participants(Table):
    """Who was chosen in which round, and what came of it."""

    name = "participants"
    path = f"{FOLD}/participants.tsv"
    description = "One row per round and client that was chosen."
    key = ("round", "client")
    columns = (
        _ROUND,
        _CLIENT,
        Column(
            "outcome",
            "answered; dropped out; late, with nothing done in time; in part, with some of its steps done; not finite, "
            "with an update that holds numbers that are none, and is turned away",
        ),
        Column("examples", "Examples that it went through, each time counted", "integer"),
        Column("steps", "Steps that it took; of fed_sgd, pieces of its data that it took the gradient of", "integer"),
        Column(
            "share",
            "Its weight in the mean that the model stepped along: 0 where krum or multi_krum have left it out; with "
            "defence client_dp one over the number expected, whoever answered; blank where nothing was accepted, and "
            "with median and trimmed_mean, which take each number by itself",
            "number",
            blank=True,
        ),
        Column("train_loss", "Mean loss over these examples, before each step", "number", blank=True),
        Column(
            "update_norm",
            "Euclidean norm of what it sent, buffers left out; blank where nothing came or it is not finite",
            "number",
            blank=True,
        ),
    )


class Judged(Table):
    """How well the global model does on each client's own validation data."""

    name = "judged"
    path = f"{FOLD}/judged.tsv"
    description = "One row per client that has validation examples, and round after which the model was judged."
    key = ("round", "client")
    columns = (
        _ROUND,
        _CLIENT,
        Column("examples", "Its validation examples", "integer"),
        Column("loss", "Mean loss over them; blank if it is no number", "number", blank=True),
        Column("accuracy", "Share that is recognised", "number"),
        Column("uar", "Mean recall over the classes that it has", "number"),
    )


class RoundsTiming(Table):
    """How long the rounds took."""

    name = "rounds_timing"
    path = f"{FOLD}/rounds.timing.tsv"
    description = "One row per round, on the machine that ran it."
    key = ("round",)
    columns = (
        _ROUND,
        Column("training_seconds", "Local work of all clients", "number", "s"),
        Column("aggregating_seconds", "From their updates to the next model", "number", "s"),
        Column("judging_seconds", "Judging it; 0 where it was not judged", "number", "s"),
        Column("engine", "What ran the clients"),
        Column("device", "What it ran on"),
    )


class FederatedPredictions(Table):
    """What the selected global model of one fold says about its test speakers."""

    name = "federated_predictions"
    path = f"{FOLD}/predictions.tsv"
    description = (
        "One row per test example, the columns those of the stage `models`. Where digits are learned, they stand in "
        "the place of emotions."
    )
    key = Predictions.key
    columns = Predictions.columns


class UpdateIndex(Table):
    """Where in the pack of updates each client's tensors are."""

    name = "update_index"
    path = f"{FOLD}/updates.tsv"
    description = (
        "One row per round, client and layer that is kept. A client's update is its parameters less those that it was "
        "given; of fed_sgd, whose clients take no step, the gradient."
    )
    key = ("round", "client", "layer")
    columns = (
        _ROUND,
        _CLIENT,
        _LAYER,
        *BLOCK,
        Column("examples", "Examples that the client went through in the round, each time counted", "integer"),
        Column("steps", "Steps that it took", "integer"),
    )


class ModelIndex(Table):
    """Where in the pack of global models each round's tensors are."""

    name = "model_index"
    path = f"{FOLD}/models.tsv"
    description = "One row per round that is kept and tensor, buffers included."
    key = ("round", "layer")
    columns = (
        Column("round", "Round, from 1, after which this was the global model; 0: before the first", "integer"),
        _LAYER,
        *BLOCK,
    )


class StandaloneModels(Table):
    """What each client has of training together, beside training alone."""

    name = "standalone_models"
    path = f"{FOLD}/standalone.tsv"
    description = (
        "One row per client, made where standalone models are kept. Figures are over the client's own validation "
        "examples, and blank where it has none."
    )
    key = ("client",)
    columns = (
        _CLIENT,
        Column(
            "round",
            "Round after which its standalone model is kept; each is as much work as one of the run. It is the same "
            "for all clients of a fold, the best over the validation examples of all, unless one has no work left "
            "sooner",
            "integer",
        ),
        Column("examples", "Its validation examples", "integer"),
        Column("accuracy", "Accuracy of its standalone model", "number", blank=True),
        Column("uar", "UAR of its standalone model", "number", blank=True),
        Column("federated_accuracy", "Accuracy of the selected global model", "number", blank=True),
        Column("federated_uar", "UAR of the selected global model", "number", blank=True),
    )


def of_table(table: type[Table], *names: str) -> tuple[Column, ...]:
    """Return columns that another table has as well."""
    by_name = {column.name: column for column in table.columns}
    return tuple(by_name[name] for name in names)


_SUMMARY = (
    Column("dataset", "Dataset"),
    Column("run", "Name of the run"),
    Column("backbone", "Backbone whose features are learned from; blank for digits", blank=True),
    Column("model_type", "Algorithm: fed_avg, fed_sgd and so on; central for training at one place"),
    Column("defence", "What is done to updates: client_dp, local_dp, user_dp, sign or top_k", blank=True),
    Column(
        "epsilon",
        "Epsilon towards who sees the models, of the fold where it is largest; blank where nothing is guaranteed",
        "number",
        blank=True,
    ),
    Column("epsilon_updates", "The same towards who sees single updates", "number", blank=True),
    Column("claimed_epsilon", "Epsilon that user_dp claims, and that does not hold", "number", blank=True),
    Column("delta", "Probability with which epsilon need not hold", "number", blank=True),
    Column("metric", "uar, accuracy or macro_f1"),
    Column("value", "The metric over the test examples of all folds", "number"),
    *of_table(Summary, "low", "high"),
    Column("fold_sd", "Standard deviation over folds; blank with one fold", "number", blank=True),
    *of_table(Summary, "chance", "interpretable"),
    Column("utterances", "Test examples", "integer"),
    *of_table(Summary, "speakers", "speakers_in_train", "speakers_in_pretraining", "folds"),
    Column("clients", "Clients, on average over folds", "number"),
    Column("rounds", "Rounds that were run, on average over folds", "number"),
    Column("selected_round", "Round whose model is tested, on average over folds", "number"),
    Column("bytes", "What was sent down and up in a fold, on average over folds", "number", "B"),
)


class FederatedRunSummary(Table):
    """How well the models of one run recognise what they were trained for."""

    name = "federated_run_summary"
    version = 2
    path = "federated/{dataset}/{run}/performance.tsv"
    description = "One row per metric."
    key = ("metric",)
    columns = _SUMMARY


class FederatedSummary(Table):
    """How well the models of all runs on a dataset do, and what was sent for it."""

    name = "federated_summary"
    version = 2
    path = "federated/{dataset}/summary.tsv"
    description = "One row per run and metric."
    key = ("dataset", "run", "metric")
    columns = _SUMMARY


class FederatedComparison(Table):
    """Which of two runs, tested on the same examples, does better."""

    name = "federated_comparison"
    path = "federated/{dataset}/comparison.tsv"
    description = (
        "One row per metric and pair of runs: every two entries of `federated` on the same features, every two "
        "backbones' features with the same entry."
    )
    key = ("dataset", "metric", "run_a", "run_b")
    columns = (
        Column("dataset", "Dataset"),
        Column("metric", "uar, accuracy or macro_f1"),
        Column(
            "differ_in",
            "backbone or entry: whether features of another backbone set the two apart, or another entry of the key "
            "`federated`",
        ),
        Column("run_a", "The first run"),
        Column("run_b", "The second run"),
        Column("value_a", "The metric of the first run", "number"),
        Column("value_b", "The metric of the second run", "number"),
        *of_table(Comparison, "difference", "low", "high"),
        Column(
            "p", "Two-sided p of swapping the runs speaker by speaker; blank with one speaker", "number", blank=True
        ),
        *of_table(Comparison, "p_holm"),
        Column(
            "better",
            "The run that is better (p_holm at most 0.05), `not told apart`, or `too few speakers` where no outcome of "
            "the test could have told any pair apart",
        ),
        *of_table(Comparison, "pairs"),
        Column("utterances", "Test examples", "integer"),
        *of_table(Comparison, "speakers"),
    )


RUN_JSON = f"{FOLD}/run.json"
"""The facts of a fold of a run: settings with all defaults filled in, partition, engine, faults, what a defence
guarantees, hashes of inputs, versions; under `schema` what `RUN_SCHEMA` says."""

MODEL = f"{FOLD}/model.safetensors"
"""The selected global model, by the names of its tensors."""

UPDATES = f"{FOLD}/updates.pack"
"""What chosen clients sent, of the layers and rounds that are kept; `UpdateIndex` says what is where."""

MODELS = f"{FOLD}/models.pack"
"""The global models of the rounds that are kept, each number as it is; `ModelIndex` says what is where."""

STANDALONE = f"{FOLD}/standalone.safetensors"
"""A model of each client, trained on its own data alone: tensors by the names that `standalone_tensor` gives them."""

FEDERATED_CURVES_FIGURE = "federated/{dataset}/{run}/curves.png"
"""Losses and scores over the rounds, of all folds."""

CLIENTS_FIGURE = "federated/{dataset}/{run}/clients.png"
"""What each client holds."""

RUNS_FIGURE = "federated/{dataset}/runs.png"
"""Runs by UAR, with intervals, beside training at one place."""


def standalone_tensor(client: str, tensor: str) -> str:
    """Return the name of a tensor of a client's standalone model in the file of all.

    >>> standalone_tensor("Ses01F", "dense.0.weight")
    'Ses01F/dense.0.weight'
    """
    return f"{client}/{tensor}"


def of_standalone(name: str) -> tuple[str, str]:
    """Return client and tensor that such a name is of.

    >>> of_standalone("Ses01F/dense.0.weight")
    ('Ses01F', 'dense.0.weight')
    """
    client, _, tensor = name.rpartition("/")
    return client, tensor
