"""The key `leakage`: what is read off the updates of which federations, by whom, taught on whom."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from candor.config.federated_parts import listed, refused, without_effect
from candor.config.section import Section

Attribute = Literal["gender", "age", "race", "ethnicity", "language"]
Attacker = Literal["logistic", "cnn"]
Names = Annotated[list[str], BeforeValidator(listed)]
Number = Annotated[int, Field(ge=1)]

OF_THE_CNN = ("num_epochs", "learning_rate")
"""Keys that mean something with the attacker `cnn` only, and are refused without it."""


class Leakage(Section):
    """The audit of what updates give away. docs/leakage.md says what is measured."""

    runs: Names = Field(
        [],
        description="Entries of `federated` that are attacked. Empty: all whose clients are people, or parts of one, "
        "and of which updates are kept.",
        examples=[["fed_avg", "fed_sgd"]],
    )
    feature_type: Names = Field(
        [], description="On features of these backbones only. Empty: of all.", examples=[["apc"]]
    )
    shadows: Names = Field(
        [],
        description="Datasets whose people the attacker learns from; on each dataset those of other corpora. Where "
        "there are none, or this is empty, in each fold the speakers who are no clients.",
        examples=[["ravdess", "emodb"], ["crema_d", "iemocap"]],
    )
    shadow_models: int = Field(
        3, ge=1, description="How many federations of these people he runs, beginning with the same model."
    )
    attributes: Annotated[list[Attribute], BeforeValidator(listed)] = Field(
        ["gender"],
        min_length=1,
        description="What is read off: columns of the manifest. Age is grouped by `fairness.age_bins`.",
        examples=[["gender", "race"]],
    )
    attackers: Annotated[list[Attacker], BeforeValidator(listed)] = Field(
        ["logistic"],
        min_length=1,
        description="Who: `logistic` regression on all numbers of a layer, and `cnn`, fed-ser-leakage's network, which "
        "takes a GPU or patience. Two controls who are told less, and attackers taught what is not true, always go "
        "along.",
        examples=[["logistic", "cnn"]],
    )
    num_epochs: int = Field(50, ge=1, description="Passes of the cnn over its updates; the best on dev is kept.")
    learning_rate: float = Field(1e-4, gt=0, allow_inf_nan=False, description="Learning rate of the cnn.")
    updates_seen: Annotated[list[Number], BeforeValidator(listed)] = Field(
        [1, 3, 5, 10, 100],
        min_length=1,
        description="How many updates of a client he averages before he looks at them. A client that has sent fewer is "
        "judged by all it has.",
    )
    folds: Literal["all", "first"] = Field("all", description="Clients of which folds are attacked.")
    inversions: int = Field(
        5,
        ge=0,
        description="How many gradients of each fold are inverted, spread over its rounds, where clients send such "
        "(`fed_sgd` with `downstream_model: mlp`); 0: none.",
    )

    @field_validator("attributes", "attackers", "updates_seen", "runs", "feature_type", "shadows")
    @classmethod
    def _each_once(cls, asked: list[object]) -> list[object]:
        if len(set(asked)) < len(asked):
            raise PydanticCustomError("unique", "each may occur once")
        return asked

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key in OF_THE_CNN:
            if "cnn" not in self.attackers and getattr(self, key) != type(self).model_fields[key].default:
                raise without_effect(key, "without cnn in attackers")
        if 1 not in self.updates_seen:
            raise refused("updates_seen", "1 must be among them: headlines are of single updates")
        return self
