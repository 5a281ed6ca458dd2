"""The key `federated`: who trains together, on what, how, and what is kept of it."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Algorithm = Literal[
    "fed_sgd",
    "fed_avg",
    "fed_prox",
    "fed_avgm",
    "fed_adam",
    "fed_yogi",
    "fed_adagrad",
    "scaffold",
    "median",
    "trimmed_mean",
    "krum",
    "multi_krum",
    "central",
]
PartitionName = Literal["auto", "speaker", "speaker_shards", "session", "dirichlet", "quantity", "iid"]

ADAPTIVE = ("fed_adam", "fed_yogi", "fed_adagrad")
DEALT = ("dirichlet", "quantity", "iid")

LEARNING_RATES = {"fed_sgd": 0.1, "scaffold": 0.05}
OTHER_RATE = 0.0005
"""Learning rates where none is given: fed-ser-leakage's of gradient descent on the server and of Adam at the clients."""


class Faults(Section):
    """What goes wrong at the clients. Who is hit, and when, depends on the seed alone."""

    drop_out: Share = Field(0.0, description="Probability that a client that was chosen does not answer in a round.")
    straggle: Share = Field(0.0, description="Probability that it is slow in a round.")
    straggler_work: Share = Field(
        0.5, description="Share of its steps that a slow client gets done in time; with 0 it is late, and not counted."
    )
    broken: Share = Field(0.0, description="Probability that what a client sends holds numbers that are none (NaN).")
    poisoned: Share = Field(0.0, description="Share of the clients that send poisoned updates in every round.")
    poison: Literal["sign_flip", "noise", "scale"] = Field(
        "sign_flip",
        description="What they send: the opposite of what they learned, noise of the same norm, or ten times as much.",
    )
    label_noise: Share = Field(0.0, description="Share of the labels that are wrong, at every client, in training.")
    microphone_noise: list[Annotated[float, Field(ge=-20, le=100)]] = Field(
        [],
        description="Speech over the noise of the microphones, in dB: every client has one of these microphones, for "
        "all that it records. Empty: no noise. Test speakers are recorded without.",
        examples=[[40, 20, 10]],
    )

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key, needs in (("straggler_work", "straggle"), ("poison", "poisoned")):
            if not getattr(self, needs) and getattr(self, key) != type(self).model_fields[key].default:
                raise PydanticCustomError(
                    "no_effect", "{key} does nothing without {needs}", {"key": key, "needs": needs}
                )
        return self


class Kept(Section):
    """What is kept of a run besides its final model."""

    updates_every: int = Field(
        1, ge=0, description="Keep what the chosen clients send in every so many rounds; 0: never."
    )
    layers: list[str] = Field(
        [],
        description="Of which layers: names of modules of the model, such as `dense.0`, or `first` and `last`. "
        "Empty: all.",
        examples=[["first"], ["first", "last"]],
    )
    precision: Literal["float32", "float16", "int8"] = Field(
        "float16",
        description="In which numbers. Those of each layer are scaled by their largest; compressed they are anyway.",
    )
    models_every: int = Field(10, ge=0, description="Keep the global model after every so many rounds; 0: never.")
    standalone: bool = Field(
        False,
        description="Also train a model at each client on its own data alone, for as many passes over it as the run "
        "has rounds times `local_epochs`, and keep it.",
    )


class Server(Section):
    """How the server steps from one model to the next; for the algorithms that have a say in it."""

    learning_rate: Rate = Field(1.0, description="Of `fed_avgm`; of `fed_adam`, `fed_yogi` and `fed_adagrad` .1.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of `fed_avgm`.")
    beta_1: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of `fed_adam` and `fed_yogi`.")
    beta_2: Annotated[float, Field(ge=0, lt=1)] = Field(0.99, description="Of `fed_adam` and `fed_yogi`.")
    tau: Rate = Field(0.001, description="What keeps divisors from zero in `fed_adam`, `fed_yogi` and `fed_adagrad`.")


SERVER_KEYS = {
    "learning_rate": ("fed_avgm", *ADAPTIVE),
    "momentum": ("fed_avgm",),
    "beta_1": ("fed_adam", "fed_yogi"),
    "beta_2": ("fed_adam", "fed_yogi"),
    "tau": ADAPTIVE,
}


class FederatedRun(Section):
    """How clients train a model together. The names are those of fed-ser-leakage where it has them."""

    workload: Literal["emotion", "digits"] = Field(
        "emotion",
        description="What is learned: emotions from features of a dataset, or handwritten digits, which need no corpus.",
    )
    dataset: list[str] | None = Field(
        None, description="On these datasets only. Empty: on all.", examples=[["iemocap", "crema_d"]]
    )
    feature_type: list[str] | None = Field(
        None, description="On features of these backbones only. Empty: of all.", examples=[["apc", "emobase"]]
    )
    layer: Literal["last", "mean"] | Annotated[int, Field(ge=0)] = Field(
        "last", description="Which hidden states of the backbone: the last ones, the mean of all, or those of a number."
    )
    downstream_model: Literal["mlp", "cnn"] = Field(
        "mlp",
        description="The model: dense layers on what is pooled over time, or the cnn head of `recipes` on frames.",
    )
    hidden_size: list[Annotated[int, Field(ge=1)]] = Field(
        [256, 128], min_length=1, description="Widths of the hidden layers of the `mlp`; the `cnn` has one width."
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
        "labels (`dirichlet`) or amounts (`quantity`) that differ, or evenly (`iid`). `auto`: speakers where at least "
        "40 take part, else their shards.",
    )
    shards: int = Field(10, ge=1, description="Clients per speaker, of `speaker_shards`.")
    clients: int = Field(10, ge=1, description="Number of clients, of `dirichlet`, `quantity` and `iid`.")
    concentration: Rate = Field(0.5, description="Of `dirichlet` and `quantity`: the smaller, the more clients differ.")
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="Share of its data that a client keeps to judge models on."
    )
    model_type: Algorithm = Field(
        "fed_avg", description="The algorithm; `central` trains on all clients' data at one place, to compare with."
    )
    clients_per_round: Annotated[float, Field(gt=0)] = Field(
        0.1, description="How many clients take part in a round: a share up to 1, or a number above 1."
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
        description="Examples per step. Empty: 20, but with `fed_sgd` all that a client has.",
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
    keep: Kept = Field(Kept(), description="What is kept besides the final model.")
    save_model: bool = Field(True, description="Whether the final model is kept.")
    engine: Literal["auto", "loop"] = Field(
        "auto",
        description="`loop` runs clients one after the other; `auto` runs many at once where that comes to the same.",
    )
    seed: int = Field(8, ge=0, description="Of the initial model, who is chosen, who holds what, in which order.")
    parity: Literal["fed-ser-leakage"] | None = Field(
        None,
        description="`fed-ser-leakage`: as published. Clients of `fed_sgd` send the gradient of one batch of 20, the "
        "model is chosen by the clients' mean UAR, and pseudo-gradients are scaled as if each client had taken one "
        "step more than it has whole batches.",
    )

    @model_validator(mode="before")
    @classmethod
    def _server_rate(cls, raw: Any) -> Any:
        """Give the adaptive algorithms the learning rate that they are published with."""
        if not isinstance(raw, dict) or raw.get("model_type") not in ADAPTIVE:
            return raw
        server = raw.get("server") or {}
        return {**raw, "server": {"learning_rate": 0.1, **server}} if isinstance(server, dict) else raw

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key, effect, needed in self._conditions():
            if not effect and getattr(self, key) != type(self).model_fields[key].default:
                raise PydanticCustomError(
                    "no_effect", "{key} does nothing without {needed}; leave it out", {"key": key, "needed": needed}
                )
        for key, algorithms in SERVER_KEYS.items():
            if self.model_type not in algorithms and getattr(self.server, key) != Server.model_fields[key].default:
                raise PydanticCustomError(
                    "no_effect",
                    "server.{key} does nothing with model_type '{model_type}'; it is of {algorithms}",
                    {"key": key, "model_type": self.model_type, "algorithms": " or ".join(algorithms)},
                )
        if self.model_type == "scaffold" and (self.optimizer or "sgd") != "sgd":
            raise PydanticCustomError(
                "scaffold", "scaffold corrects gradient descent; leave optimizer out, or set 'sgd'"
            )
        if self.clients_per_round > 1 and self.clients_per_round != int(self.clients_per_round):
            raise PydanticCustomError("clients", "clients_per_round is a share up to 1 or a whole number above it")
        if self.downstream_model == "cnn" and len(self.hidden_size) > 1 and "hidden_size" in self.model_fields_set:
            raise PydanticCustomError("cnn", "hidden_size has one width for downstream_model 'cnn', such as [128]")
        return self

    def _conditions(self) -> list[tuple[str, bool, str]]:
        """Return keys that mean something under a condition only: key, whether it is met, the condition."""
        emotion, by_batches = self.workload == "emotion", self.federate_after_n_batches is not None
        of_emotion = ("dataset", "feature_type", "layer", "downstream_model", "hidden_size", "dropout", "norm")
        return [
            *((key, emotion, "workload 'emotion'") for key in (*of_emotion, "norm_scope", "audio_duration")),
            ("norm_scope", self.norm != "nonorm", "norm"),
            ("layer", self.downstream_model == "mlp", "downstream_model 'mlp'"),
            ("shards", self.partition in ("auto", "speaker_shards"), "partition 'speaker_shards'"),
            ("clients", self.partition in DEALT or not emotion, "a partition that deals clips out"),
            ("concentration", self.partition in ("dirichlet", "quantity"), "partition 'dirichlet' or 'quantity'"),
            ("clients_per_round", self.model_type != "central", "a model_type that is not 'central'"),
            ("momentum", self.optimizer == "sgd" or self.model_type == "scaffold", "optimizer 'sgd'"),
            ("federate_after_n_batches", self.model_type != "fed_sgd", "a model_type whose clients take steps"),
            ("on_exhausted", by_batches, "federate_after_n_batches"),
            ("proximal", self.model_type == "fed_prox", "model_type 'fed_prox'"),
            ("trimmed", self.model_type == "trimmed_mean", "model_type 'trimmed_mean'"),
            ("malicious", self.model_type in ("krum", "multi_krum"), "model_type 'krum' or 'multi_krum'"),
            ("selected", self.model_type == "multi_krum", "model_type 'multi_krum'"),
        ]

    def options(self) -> dict[str, Any]:
        """Return what a run depends on: not which datasets and features it is for, but with all defaults filled in."""
        options = self.model_dump(exclude={"dataset", "feature_type"})
        fed_sgd, scaffold = self.model_type == "fed_sgd", self.model_type == "scaffold"
        whole = fed_sgd and self.parity is None
        filled = {
            "batch_size": None if whole else 20,
            "learning_rate": LEARNING_RATES.get(self.model_type, OTHER_RATE),
            "optimizer": "none" if fed_sgd else "sgd" if scaffold else "adam",
            "proximal": 0.01 if self.model_type == "fed_prox" else None,
            "trimmed": 0.2 if self.model_type == "trimmed_mean" else None,
            "malicious": 1 if self.model_type in ("krum", "multi_krum") else None,
            "selected": 3 if self.model_type == "multi_krum" else None,
        }
        given = {key: options[key] for key in filled if options[key] is not None}
        return {**options, **filled, **given, **({"optimizer": "none"} if fed_sgd else {})}
