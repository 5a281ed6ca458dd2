"""The key `privacy`: what is read off hidden states and trained models, and by whom."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section

Attribute = Literal["gender", "speaker", "membership"]
Attacker = Literal["linear", "cnn"]

OF_THE_CNN = ("num_epochs", "learning_rate", "hidden_size", "max_frames")
"""Keys that mean something with the attacker `cnn` only, and are refused without it."""


class Privacy(Section):
    """The audit of what models give away. docs/privacy.md says what is measured."""

    attributes: list[Attribute] = Field(
        ["gender", "speaker", "membership"],
        min_length=1,
        description="What is attacked: the gender and the identity of who speaks, from hidden states and from the "
        "trained head's embedding; and whether an utterance was trained on, from the loss.",
        examples=[["gender"]],
    )
    attackers: list[Attacker] = Field(
        ["linear", "cnn"],
        min_length=1,
        description="Who reads gender and speaker: a linear discriminant on pooled states, and a network of "
        "trust-ser's shape on frames. Headlines are of the one who reads most, of gender on dev speakers.",
        examples=[["linear"]],
    )
    num_epochs: int = Field(20, ge=1, description="Passes of the cnn over its utterances; the best on dev is kept.")
    learning_rate: float = Field(0.002, gt=0, allow_inf_nan=False, description="Learning rate of the cnn.")
    hidden_size: int = Field(128, ge=1, description="Width of the cnn.")
    max_frames: int = Field(
        25,
        ge=1,
        description="Frames of each utterance that the cnn reads, evenly spaced. It sees no order in them, so that "
        "more tell it little that is new.",
    )
    seeds: Literal["first", "all"] = Field(
        "first", description="Models of which seeds are attacked, by embedding and by loss."
    )
    parity: Literal["trust-ser"] | None = Field(
        None,
        description="`trust-ser` also attacks gender as that system does, in fold 1 alone, and writes its file, "
        "`trust_ser.json`.",
    )

    @property
    def reads_states(self) -> bool:
        """Whether anything is read off hidden states and embeddings."""
        return self.attributes != ["membership"]

    @field_validator("attributes", "attackers")
    @classmethod
    def _each_once(cls, asked: list[str]) -> list[str]:
        if len(set(asked)) < len(asked):
            raise PydanticCustomError("unique", "each may occur once")
        return asked

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        fields = type(self).model_fields
        if not self.reads_states and self.attackers != fields["attackers"].default:
            raise PydanticCustomError(
                "no_effect", "{key} does nothing without gender or speaker in attributes", {"key": "attackers"}
            )
        for key in OF_THE_CNN:
            if getattr(self, key) == fields[key].default:
                continue
            if "cnn" not in self.attackers or not self.reads_states:
                needed = "cnn in attackers" if self.reads_states else "gender or speaker in attributes"
                raise PydanticCustomError(
                    "no_effect", "{key} does nothing without {needed}", {"key": key, "needed": needed}
                )
        if self.parity is not None and "gender" not in self.attributes:
            raise PydanticCustomError(
                "no_effect", "{key} 'trust-ser' is of gender; add it to attributes", {"key": "parity"}
            )
        return self
