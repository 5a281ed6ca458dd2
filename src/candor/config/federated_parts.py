"""The sections of an entry of `federated`, and how its keys are refused."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def listed(value: Any) -> Any:
    """Take one of something for a list of one."""
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def without_effect(key: str, why: str) -> PydanticCustomError:
    """Return the error for a key that would do nothing; one of a section within has a dot."""
    return PydanticCustomError("no_effect", "it does nothing {why}; leave it out", {"key": key, "why": why})


def refused(key: str, why: str) -> PydanticCustomError:
    """Return the error for a value that cannot be, and why."""
    return PydanticCustomError("refused", "{why}", {"key": key, "why": why})


class Faults(Section):
    """What goes wrong at the clients. Who is hit, and when, depends on the seed alone."""

    drop_out: Share = Field(0.0, description="Probability that a client that was chosen does not answer in a round.")
    straggle: Share = Field(0.0, description="Probability that it is slow in a round.")
    straggler_work: Share = Field(
        0.5,
        description="Share of its steps that a slow client gets done in time; where that is none, as with `fed_sgd`, "
        "it is late, and not counted.",
    )
    broken: Share = Field(0.0, description="Probability that what a client sends holds numbers that are none (NaN).")
    poisoned: Share = Field(
        0.0, description="Share of the clients that send poisoned updates in every round; one at least, if not 0."
    )
    poison: Literal["sign_flip", "noise", "scale"] = Field(
        "sign_flip",
        description="What they send: the opposite of what they learned, noise of the same norm, or ten times as much.",
    )
    label_noise: Share = Field(0.0, description="Share of the labels that are wrong, at every client, in training.")
    microphone_noise: Annotated[list[Annotated[float, Field(ge=-20, le=100)]], BeforeValidator(listed)] = Field(
        [],
        description="Speech over the noise of the microphones, in dB: every client has one of these microphones, for "
        "all that it records. Empty: no noise. Test speakers are recorded without.",
        examples=[[40, 20, 10]],
    )

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key, needs in (("straggler_work", "straggle"), ("poison", "poisoned")):
            if not getattr(self, needs) and getattr(self, key) != type(self).model_fields[key].default:
                raise without_effect(key, f"without {needs}")
        return self


class Kept(Section):
    """What is kept of a run besides its final model."""

    updates_every: int = Field(
        10,
        ge=0,
        description="Keep what the chosen clients send in the first round, and in every so many from there on; 0: "
        "never. The model that they were given is kept too where `models_every` divides this.",
    )
    layers: Annotated[list[str], BeforeValidator(listed)] = Field(
        [],
        description="Of which layers: names of modules of the model, such as `dense.0`, or `first` and `last`. "
        "Empty: all.",
        examples=[["first"], ["first", "last"]],
    )
    precision: Literal["float32", "float16", "int8", "int4"] = Field(
        "float16",
        description="In which numbers. Those of each layer are scaled by their largest, with `int4` every 64 of them; "
        "compressed they are anyway. `int4` loses 6 to 12 % of an update's norm, and keeps 8,000 updates of 165,000 "
        "numbers in 0.7 GB.",
    )
    models_every: int = Field(10, ge=0, description="Keep the global model after every so many rounds; 0: never.")
    standalone: bool = Field(
        False,
        description="Also train a model at each client on its own data alone, for as many passes over it as the run "
        "has rounds times `local_epochs` at most: as many as are best over all clients' validation data.",
    )

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key in ("layers", "precision"):
            if not self.updates_every and getattr(self, key) != type(self).model_fields[key].default:
                raise without_effect(key, "with updates_every 0")
        return self


class Server(Section):
    """How the server steps from one model to the next; for the algorithms that have a say in it."""

    learning_rate: Rate = Field(1.0, description="Of `fed_avgm`; of `fed_adam`, `fed_yogi` and `fed_adagrad` .1.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of `fed_avgm`.")
    beta_1: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of `fed_adam` and `fed_yogi`.")
    beta_2: Annotated[float, Field(ge=0, lt=1)] = Field(0.99, description="Of `fed_adam` and `fed_yogi`.")
    tau: Rate = Field(0.001, description="What keeps divisors from zero in `fed_adam`, `fed_yogi` and `fed_adagrad`.")
