"""The key `federated`: who trains together, on what, how, and what is kept of it."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from candor.config.federated_defence import Defence, what_cannot_be
from candor.config.federated_entries import Algorithm
from candor.config.federated_parts import Faults, Kept, Rate, Server, listed, refused, without_effect
from candor.config.section import Section

Widths = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
PartitionName = Literal["auto", "speaker", "speaker_shards", "session", "dirichlet", "quantity", "iid"]

ADAPTIVE = ("fed_adam", "fed_yogi", "fed_adagrad")
KRUMS = ("krum", "multi_krum")
DEALT = ("dirichlet", "quantity", "iid")
OF_DIGITS = ("auto", *DEALT)
"""Partitions of what nobody has spoken."""

LEARNING_RATES = {"fed_sgd": 0.1, "scaffold": 0.05}
OTHER_RATE = 0.0005
"""Learning rates where none is given: fed-ser-leakage's of the server's gradient descent and of Adam at the clients."""

OF_EMOTION = (
    *("dataset", "feature_type", "layer", "downstream_model", "hidden_size", "dropout", "norm", "norm_scope"),
    *("audio_duration", "parity"),
)
"""Keys that say something of speech, or of a model of it."""

OF_ANSWERS = ("drop_out", "straggle", "broken", "poisoned")
"""Faults of clients who are to answer a server."""
OF_CLIENTS = ("updates_every", "layers", "precision", "standalone")
"""What is kept of clients, and so of no training at one place."""

SERVER_KEYS = {
    "learning_rate": ("fed_avgm", *ADAPTIVE),
    "momentum": ("fed_avgm",),
    "beta_1": ("fed_adam", "fed_yogi"),
    "beta_2": ("fed_adam", "fed_yogi"),
    "tau": ADAPTIVE,
}


def _layer(asked: Any) -> Any:
    """Refuse what is no layer with all that may stand there, which of a union only one member would name."""
    if asked in ("last", "mean") or (isinstance(asked, int) and not isinstance(asked, bool) and asked >= 0):
        return asked
    raise PydanticCustomError("layer", "it is 'last', 'mean', or the number of a layer, from 0")


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(map(repr, names))


class FederatedRun(Section):
    """How clients train a model together. The names are those of fed-ser-leakage where it has them."""

    workload: Literal["emotion", "digits"] = Field(
        "emotion",
        description="What is learned: emotions, from features of a dataset, or handwritten digits, without a corpus.",
    )
    dataset: Annotated[list[str] | None, BeforeValidator(listed)] = Field(
        None, description="On these datasets only. Empty: on all.", examples=[["iemocap", "crema_d"]]
    )
    feature_type: Annotated[list[str] | None, BeforeValidator(listed)] = Field(
        None, description="On features of these backbones only. Empty: of all.", examples=[["apc", "emobase"]]
    )
    layer: Annotated[Literal["last", "mean"] | Annotated[int, Field(ge=0)], BeforeValidator(_layer)] = Field(
        "last",
        description="Which hidden states of the backbone: the last ones, the mean of all, or those of a layer, by its "
        "number from 0.",
    )
    downstream_model: Literal["mlp", "cnn"] = Field(
        "mlp",
        description="The model: dense layers on what is pooled over time, or the cnn head of `recipes` on frames.",
    )
    hidden_size: Annotated[Widths | None, BeforeValidator(listed)] = Field(
        None,
        description="Widths of the hidden layers of the `mlp`; the `cnn` has one width. Empty: [256, 128], of the "
        "`cnn` [128].",
        examples=[[256, 128]],
    )
    dropout: float = Field(
        0.2, ge=0, lt=1, allow_inf_nan=False, description="Dropout after the first dense layer, in training alone."
    )
    norm: Literal["nonorm", "znorm", "minmax"] = Field(
        "znorm", description="Bring each dimension to mean 0 and deviation 1, or to the range from 0 to 1."
    )
    norm_scope: Literal["speaker", "train"] = Field(
        "speaker",
        description="Whose features `norm` measures: each speaker's own, which needs audio of a test speaker "
        "beforehand, and is recorded as transductive, or those of all clients.",
    )
    audio_duration: float | None = Field(
        6.0, gt=0, allow_inf_nan=False, description="Only the first seconds of each clip are used. Empty: all."
    )
    partition: PartitionName = Field(
        "auto",
        description="Who is a client: a speaker, a shard of a speaker's clips, a session; or clips dealt out with "
        "labels (`dirichlet`) or amounts (`quantity`) that differ, or evenly (`iid`). `auto`: shards where fewer than "
        "40 speakers take part and a shard has 20 clips or more, else speakers; of digits `iid`.",
    )
    shards: int = Field(10, ge=1, description="Clients per speaker, of `speaker_shards`.")
    clients: int = Field(10, ge=2, description="Number of clients, of `dirichlet`, `quantity` and `iid`.")
    concentration: Rate = Field(0.5, description="Of `dirichlet` and `quantity`: the smaller, the more clients differ.")
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="Share of its data that a client keeps to judge models on."
    )
    model_type: Algorithm = Field(
        "fed_avg", description="The algorithm; `central` trains on all clients' data at one place, to compare with."
    )
    clients_per_round: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="How many clients take part in a round: a share up to 1, which is all, or a number above 1. Empty: "
        "a tenth, but five at least.",
        examples=[0.1, 20],
    )
    num_epochs: int = Field(200, ge=1, description="Rounds.")
    local_epochs: int = Field(
        1,
        ge=1,
        description="Passes of a client over its data in each round it takes part in. Without effect, and said so, "
        "with `fed_sgd`, whose clients take no step. With `on_exhausted: stop`: in the whole run.",
    )
    batch_size: int | None = Field(
        None,
        ge=1,
        description="Examples per step; with `fed_sgd`, whose clients take no step, of the batch whose gradient they "
        "send. Empty: 20, but with `fed_sgd` all that a client has.",
    )
    learning_rate: Rate | None = Field(
        None,
        description="Of the clients' optimiser; with `fed_sgd`, whose clients take no step, of the server's. Empty: "
        ".0005, with `fed_sgd` .1, with `scaffold` .05.",
    )
    optimizer: Literal["adam", "adamw", "sgd"] | None = Field(
        None,
        description="Of the clients, new in each round. Empty: Adam, with `scaffold` gradient descent. Without effect "
        "with `fed_sgd`.",
    )
    weight_decay: float = Field(0.0001, ge=0, allow_inf_nan=False, description="Of the clients' optimiser.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="Of the clients' optimiser `sgd`.")
    federate_after_n_batches: int | None = Field(
        None,
        ge=1,
        description="Each client takes so many batches per round and goes on in its own shuffled pass in the next "
        "one, instead of `local_epochs` whole passes.",
    )
    on_exhausted: Literal["wrap", "stop"] = Field(
        "wrap",
        description="With `federate_after_n_batches`, when a client's pass is over: begin another one, or, after "
        "`local_epochs` of them, take no further part; the run ends when nobody is left. What a last round has of "
        "batches counts.",
    )
    shuffle: bool = Field(True, description="Whether each pass has an order of its own.")
    drop_last: bool = Field(False, description="Whether a last batch that is not full is left out.")
    test_batch_size: int = Field(1000, ge=1, description="Examples per step where models are judged.")
    evaluate_every: int = Field(1, ge=1, description="Judge the model after every so many rounds, and after the last.")
    select_after: int = Field(
        0, ge=0, description="The model that is tested is the best on the clients' validation data after this round."
    )
    server: Server = Field(Server(), description="How the server steps.")
    proximal: Rate | None = Field(None, description="Weight of the pull to the global model in `fed_prox`. Empty: .01.")
    trimmed: Annotated[float, Field(gt=0, lt=0.5)] | None = Field(
        None, description="Share cut off at each end by `trimmed_mean`. Empty: .2."
    )
    malicious: int | None = Field(
        None, ge=0, description="How many poisoned clients per round `krum` and `multi_krum` expect. Empty: 1."
    )
    selected: int | None = Field(None, ge=1, description="How many clients `multi_krum` averages. Empty: 3.")
    faults: Faults = Field(Faults(), description="What goes wrong at the clients.")
    defence: Defence = Field(
        Defence(), description="What is done to what clients send, so that less can be read off it."
    )
    keep: Kept = Field(Kept(), description="What is kept besides the final model.")
    save_model: bool = Field(True, description="Whether the final model is kept.")
    engine: Literal["auto", "loop"] = Field(
        "auto",
        description="`loop` runs clients one after the other; `auto` runs many at once where that comes to the same.",
    )
    seed: int = Field(
        8, ge=0, lt=2**32, description="Of the initial model, who is chosen, who holds what, in which order."
    )
    parity: Literal["fed-ser-leakage"] | None = Field(
        None,
        description="`fed-ser-leakage`: as published. Clients of `fed_sgd` send the gradient of one batch of 20, the "
        "model is chosen by the clients' mean UAR, and pseudo-gradients are scaled as if each client had taken one "
        "step more than it has whole batches.",
    )

    @model_validator(mode="before")
    @classmethod
    def _server_rate(cls, raw: Any) -> Any:
        """Give the adaptive algorithms a learning rate of .1; a step of 1 would be one of 1 in each parameter."""
        if not isinstance(raw, dict) or raw.get("model_type") not in ADAPTIVE:
            return raw
        server = raw.get("server") or {}
        return {**raw, "server": {"learning_rate": 0.1, **server}} if isinstance(server, dict) else raw

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key, effect, why in self._conditions():
            if not effect and getattr(self, key) != type(self).model_fields[key].default:
                raise without_effect(key, why)
        for key, algorithms in SERVER_KEYS.items():
            if self.model_type not in algorithms and getattr(self.server, key) != Server.model_fields[key].default:
                raise without_effect(f"server.{key}", f"without model_type {_or(algorithms)}")
        if self.model_type == "central":
            for key in OF_ANSWERS:
                if getattr(self.faults, key):
                    raise without_effect(f"faults.{key}", "with model_type 'central', where nobody has to answer")
            for key in OF_CLIENTS:
                if getattr(self.keep, key) != Kept.model_fields[key].default:
                    raise without_effect(f"keep.{key}", "with model_type 'central', where no client sends anything")
        if self.model_type == "fed_sgd" and self.faults.straggler_work not in (0, Faults().straggler_work):
            raise without_effect("faults.straggler_work", "with model_type 'fed_sgd', as a gradient has no parts")
        if self.faults.microphone_noise and not (self.workload == "emotion" and self.downstream_model == "mlp"):
            raise without_effect("faults.microphone_noise", "without workload 'emotion' and downstream_model 'mlp'")
        return self

    @model_validator(mode="after")
    def _nothing_impossible(self) -> Self:
        if self.model_type == "scaffold" and self.optimizer not in (None, "sgd"):
            raise refused("optimizer", "scaffold corrects gradient descent; leave it out, or set 'sgd'")
        for error in what_cannot_be(self):
            raise error
        if self.downstream_model == "cnn" and len(self.hidden_size or [1]) > 1:
            raise refused("hidden_size", "the cnn has one width, such as [128]")
        if self.workload == "digits" and self.partition not in OF_DIGITS:
            raise refused("partition", f"digits have neither speakers nor sessions; allowed: {', '.join(OF_DIGITS)}")
        if self.evaluate_every > self.num_epochs:
            raise refused("evaluate_every", f"there are no more than {self.num_epochs} rounds (num_epochs)")
        if self.select_after >= self.num_epochs:
            raise refused("select_after", f"there are no more than {self.num_epochs} rounds (num_epochs)")
        if self.clients_per_round is not None and self.clients_per_round > 1:
            if self.clients_per_round != int(self.clients_per_round):
                raise refused("clients_per_round", "it is a share up to 1, or a whole number above 1")
            if self._are_dealt and self.clients_per_round > self.clients:
                raise refused("clients_per_round", f"there are no more than {self.clients} (clients); 1 takes all")
        return self

    @property
    def _are_dealt(self) -> bool:
        """Tell whether it is `clients` that says how many there are."""
        return self.partition in DEALT or self.workload == "digits"

    def _conditions(self) -> Iterator[tuple[str, bool, str]]:
        """Yield keys that mean something in some runs only: the key, whether in this one, and why not in others."""
        emotion, by_batches = self.workload == "emotion", self.federate_after_n_batches is not None
        steps, central = self.model_type != "fed_sgd", self.model_type == "central"
        for key in OF_EMOTION:
            yield key, emotion, "without workload 'emotion'"
        yield "norm_scope", self.norm != "nonorm", "with norm 'nonorm'"
        yield "layer", self.downstream_model == "mlp", "with downstream_model 'cnn', which weighs all layers"
        yield "shards", emotion and self.partition in ("auto", "speaker_shards"), "without partition 'speaker_shards'"
        yield "clients", self._are_dealt, f"without partition {_or(DEALT)}"
        yield "concentration", self.partition in DEALT[:2], f"without partition {_or(DEALT[:2])}"
        yield "clients_per_round", not central, "with model_type 'central', which has one client"
        yield "engine", not central, "with model_type 'central', which has one client"
        yield "momentum", self.optimizer == "sgd" or self.model_type == "scaffold", "without optimizer 'sgd'"
        for key in ("momentum", "weight_decay", "drop_last", "federate_after_n_batches"):
            yield key, steps, "with model_type 'fed_sgd', whose clients take no step"
        drawn = steps or self.batch_size is not None or self.parity is not None
        yield "shuffle", drawn, "with model_type 'fed_sgd' and no batch_size, as each client's batch is all that it has"
        yield "on_exhausted", by_batches, "without federate_after_n_batches"
        # Those of fed_sgd are accepted, as the published command has them.
        counted = not by_batches or self.on_exhausted == "stop"
        yield "local_epochs", counted, "with federate_after_n_batches, unless on_exhausted is 'stop'"
        yield "proximal", self.model_type == "fed_prox", "without model_type 'fed_prox'"
        yield "trimmed", self.model_type == "trimmed_mean", "without model_type 'trimmed_mean'"
        yield "malicious", self.model_type in KRUMS, f"without model_type {_or(KRUMS)}"
        yield "selected", self.model_type == "multi_krum", "without model_type 'multi_krum'"
        private = f"with defence.kind '{self.defence.kind}', whose last model is tested"
        yield "select_after", not self.defence.guarantees, private

    def options(self) -> dict[str, Any]:
        """Return what a run depends on: not which datasets and features it is for, but with all defaults filled in.

        Of an entry with several budgets each of its `variants` is a run.
        """
        options = self.model_dump(exclude={"dataset", "feature_type"})
        fed_sgd, scaffold = self.model_type == "fed_sgd", self.model_type == "scaffold"
        whole = fed_sgd and self.parity is None
        filled = {
            "hidden_size": [128] if self.downstream_model == "cnn" else [256, 128],
            "batch_size": None if whole else 20,
            "learning_rate": LEARNING_RATES.get(self.model_type, OTHER_RATE),
            "optimizer": "none" if fed_sgd else "sgd" if scaffold else "adam",
            "proximal": 0.01 if self.model_type == "fed_prox" else None,
            "trimmed": 0.2 if self.model_type == "trimmed_mean" else None,
            "malicious": 1 if self.model_type in KRUMS else None,
            "selected": 3 if self.model_type == "multi_krum" else None,
        }
        given = {key: options[key] for key in filled if options[key] is not None}
        unused = {"optimizer": "none", "weight_decay": 0.0} if fed_sgd else {}
        return {**options, "defence": self.defence.options(), **filled, **given, **unused}

    def variants(self) -> Iterator[tuple[str, Self]]:
        """Yield the runs that an entry stands for, one per budget, and what the name of each ends in."""
        for ending, defence in self.defence.budgets():
            yield ending, self.model_copy(update={"defence": defence})

    @property
    def keeps_updates(self) -> bool:
        """Whether what clients send is kept."""
        return bool(self.keep.updates_every) and self.model_type != "central"
