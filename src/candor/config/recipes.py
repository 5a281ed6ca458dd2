"""The key `recipes`: how a head is trained on a backbone's hidden states."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Mode = Literal["frozen", "last_layer", "full", "lora"]
Pooling = Literal["mean", "std", "att"]

OVER_TIME = "Over time: the mean, mean and standard deviation, or a learned weighted mean."

ONLY_IN_MODE = {
    "backbone_learning_rate": ("last_layer", "full", "lora"),
    "lora_rank": ("lora",),
    "lora_alpha": ("lora",),
    "norm": ("frozen",),
    "norm_scope": ("frozen",),
}
"""Keys that mean something in some modes only, and are refused in the others."""


class RecipeSection(Section):
    """What recipes of all heads share. The names are trust-ser's where it has them."""

    pretrain_model: list[str] | None = Field(
        None,
        description="Train on these backbones only. Empty: on all.",
        examples=[["wavlm", "whisper_tiny"]],
    )
    dataset: list[str] | None = Field(
        None, description="Train on these datasets only. Empty: on all.", examples=[["iemocap"]]
    )
    mode: Mode = Field(
        "frozen",
        description="What is trained besides the head: nothing, the backbone's last layer, all of it, or low-rank "
        "additions to its attention.",
    )
    learning_rate: Rate = Field(0.0005, description="Learning rate of the head.")
    backbone_learning_rate: Rate = Field(
        0.00001, description="Learning rate of what is trained in the backbone; not for `frozen`."
    )
    num_epochs: int = Field(30, ge=1, description="Passes over the training speakers; the best on dev is kept.")
    batch_size: int = Field(64, ge=1, description="Utterances per step.")
    optimizer: Literal["adam", "adamw", "sgd"] = Field(
        "adam", description="Adam, Adam with decoupled weight decay, or gradient descent with momentum .9."
    )
    weight_decay: float = Field(0.0001, ge=0, allow_inf_nan=False, description="Weight decay of the optimiser.")
    scheduler: Literal["plateau", "cosine", "constant"] = Field(
        "plateau",
        description="`plateau` halves the learning rates after five epochs without a better dev loss, `cosine` lets "
        "them fall to zero over all epochs.",
    )
    early_stopping: int = Field(
        0, ge=0, description="Stop after this many epochs in a row without a better dev score; 0: never."
    )
    clip_norm: float = Field(
        5.0, ge=0, allow_inf_nan=False, description="Largest norm of a gradient; larger ones are scaled down. 0: none."
    )
    norm: Literal["nonorm", "znorm", "minmax"] = Field(
        "nonorm",
        description="Bring each dimension of the hidden states to mean 0 and deviation 1 (`znorm`) or to the range "
        "from 0 to 1 (`minmax`) before the head. For `frozen`.",
    )
    norm_scope: Literal["train", "speaker"] = Field(
        "train",
        description="Whose hidden states `norm` measures: those of the training speakers, or each speaker's own, "
        "which needs audio of a test speaker beforehand, and is recorded as transductive.",
    )
    audio_duration: float | None = Field(
        6.0, gt=0, allow_inf_nan=False, description="Only the first seconds of each clip are used. Empty: all."
    )
    lora_rank: int = Field(16, ge=1, description="Rank of the additions in mode `lora`.")
    lora_alpha: int = Field(16, ge=1, description="Scale of the additions in mode `lora`, over the rank.")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        [0, 1, 2],
        min_length=1,
        description="One training per seed, all in one job; no seed twice.",
        json_schema_extra={"uniqueItems": True},
    )

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise PydanticCustomError("unique", "each seed may occur once")
        return seeds

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key, modes in ONLY_IN_MODE.items():
            # The default does no harm: the shipped recipe has `norm: nonorm`, and may be laid over.
            if self.mode not in modes and getattr(self, key) != type(self).model_fields[key].default:
                raise PydanticCustomError(
                    "no_effect",
                    "{key} does nothing with mode '{mode}'; leave it out, or set mode to {modes}",
                    {"key": key, "mode": self.mode, "modes": " or ".join(modes)},
                )
        if self.norm_scope != "train" and self.norm == "nonorm":
            raise PydanticCustomError("no_effect", "norm_scope does nothing with norm 'nonorm'; set norm as well")
        return self

    @property
    def reads_frames(self) -> bool:
        """Whether a training reads the hidden states of every frame from the store, not only pooled ones."""
        return self.mode == "frozen"

    def options(self) -> dict[str, Any]:
        """Return what a training depends on: not which backbones and datasets it is for."""
        return self.model_dump(exclude={"pretrain_model", "dataset"})


class Linear(RecipeSection):
    """One dense layer on what is pooled over time."""

    downstream_model: Literal["linear"] = Field("linear", description="The kind of head.")
    learning_rate: Rate = Field(0.005, description="Learning rate of the head.")
    num_epochs: int = Field(60, ge=1, description="Passes over the training speakers; the best on dev is kept.")
    pooling: Pooling = Field("std", description=OVER_TIME)

    @model_validator(mode="after")
    def _no_norm_twice(self) -> Self:
        if self.norm == "znorm" and self.norm_scope == "train" and not self.reads_frames:
            raise PydanticCustomError(
                "no_effect",
                "norm 'znorm' does nothing here, as a linear head standardises pooled states on the training speakers "
                "anyway; leave it out, or set norm_scope to 'speaker'",
            )
        return self

    @property
    def reads_frames(self) -> bool:
        """Whether a training reads the hidden states of every frame from the store, not only pooled ones."""
        return self.mode == "frozen" and (self.pooling == "att" or self.norm == "minmax")


class Network(RecipeSection):
    """What recipes of all heads with hidden layers share."""

    pooling: Pooling = Field("mean", description=OVER_TIME)
    hidden_size: int = Field(128, ge=1, description="Width of the hidden layers.")
    dropout: float = Field(0.2, ge=0, lt=1, allow_inf_nan=False, description="Dropout in the head, in training.")


class Cnn(Network):
    """Convolutions of width one, pooling, dense layers: the head of trust-ser."""

    downstream_model: Literal["cnn"] = Field("cnn", description="The kind of head.")
    conv_layers: int = Field(2, ge=1, le=8, description="Convolutions.")
    num_layers: int = Field(2, ge=1, le=8, description="Dense layers after pooling, the last of which decides.")


class Gru(Network):
    """A recurrent network over time, pooling, a dense layer."""

    downstream_model: Literal["gru"] = Field("gru", description="The kind of head.")
    num_layers: int = Field(1, ge=1, le=8, description="Recurrent layers, each in both directions.")
    hidden_size: int = Field(128, ge=1, description="Units of each layer and direction.")


class Transformer(Network):
    """Attention over time, pooling, a dense layer."""

    downstream_model: Literal["transformer"] = Field("transformer", description="The kind of head.")
    num_layers: int = Field(1, ge=1, le=8, description="Transformer layers.")
    hidden_size: int = Field(128, ge=8, multiple_of=8, description="Width of the layers, a multiple of 8.")


Recipe = Annotated[Linear | Cnn | Gru | Transformer, Field(discriminator="downstream_model")]
"""An entry of `recipes`."""

HEADS = ("linear", "cnn", "gru", "transformer")


def with_head(name: str, entry: Any) -> Any:
    """Return an entry that says which head it is for: the one it is called after, or trust-ser's.

    >>> with_head("gru", {})["downstream_model"], with_head("slow", {})["downstream_model"]
    ('gru', 'cnn')
    """
    if not isinstance(entry, dict) or "downstream_model" in entry:
        return entry
    return {"downstream_model": name if name in HEADS else "cnn", **entry}
