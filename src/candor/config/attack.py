"""The key `attack`: how models are attacked."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section

Method = Literal["fgsm", "pgd", "pgd_momentum"]
Decibels = Annotated[float, Field(ge=-20, le=120, allow_inf_nan=False)]

ONLY_WITH = {
    "steps": ("pgd", "pgd_momentum"),
    "step_size": ("pgd", "pgd_momentum"),
    "random_start": ("pgd", "pgd_momentum"),
    "momentum": ("pgd_momentum",),
}
"""Keys that mean something with some methods only, and are refused without any of these."""


class Attack(Section):
    """The audit of how easily models are fooled. docs/attack.md says what is measured."""

    attack_method: Method | Annotated[list[Method], Field(min_length=1)] = Field(
        "fgsm",
        description="One or several: a step along the sign of the gradient (`fgsm`), many small ones (`pgd`), or these "
        "with momentum (`pgd_momentum`). Random signs as loud stand beside each as the control.",
        examples=["fgsm", ["fgsm", "pgd"]],
    )
    snr: Decibels | Annotated[list[Decibels], Field(min_length=1)] = Field(
        [60.0, 55.0, 50.0, 45.0, 40.0, 35.0, 30.0, 25.0, 20.0, 15.0],
        description="How far speech is above the perturbation, in dB: one ratio, or several for a curve. 45 is "
        "trust-ser's; figures by group are of the one nearest to it.",
        examples=[45, [60, 45, 30]],
    )
    steps: int = Field(10, ge=1, le=1000, description="Steps of `pgd` and `pgd_momentum`.")
    step_size: float = Field(
        0.25, gt=0, le=2, allow_inf_nan=False, description="Length of one of these, as a share of the budget."
    )
    random_start: bool = Field(
        True, description="Whether they begin at a random place within the budget, instead of the utterance itself."
    )
    momentum: float = Field(
        1.0, ge=0, allow_inf_nan=False, description="Weight of earlier gradients in `pgd_momentum`."
    )
    target: str | None = Field(
        None,
        description="Emotion that shall be heard instead; success is to be taken for it. Empty: any but the true one.",
        examples=["neutral"],
    )
    surrogate: str | None = Field(
        None,
        description="Backbone whose models are used to fool those of all others, with the same recipe (transfer). "
        "Empty: only what has no gradient of its own is attacked so, from the first backbone that has one.",
        examples=["wavlm"],
    )
    seeds: Literal["first", "all"] = Field(
        "first",
        description="Models of which seeds are attacked: intervals come from speakers, and one seed takes less time.",
    )
    parity: Literal["trust-ser"] | None = Field(
        None,
        description="`trust-ser` takes the gradient as that system does: with dropout and LayerDrop, and without "
        "clipping; also writes its file, `trust_ser.json`. For `attack_method: fgsm`.",
    )
    examples: int = Field(
        3, ge=0, le=20, description="Clips per backbone and recipe to listen to, clean, attacked and the difference."
    )

    @property
    def methods(self) -> list[Method]:
        """Return the methods that are asked for."""
        return [self.attack_method] if isinstance(self.attack_method, str) else list(self.attack_method)

    @property
    def snrs(self) -> list[float]:
        """Return the ratios that are asked for, the quietest perturbation first."""
        return sorted(self.snr if isinstance(self.snr, list) else [self.snr], reverse=True)

    @field_validator("snr", mode="before")
    @classmethod
    def _at_least_one(cls, asked: object) -> object:
        if asked == []:
            raise PydanticCustomError("empty", "name at least one ratio")
        return asked

    @field_validator("attack_method", "snr")
    @classmethod
    def _each_once(cls, asked: object) -> object:
        if isinstance(asked, list) and len(set(asked)) < len(asked):
            raise PydanticCustomError("unique", "each may occur once")
        return asked

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key, methods in ONLY_WITH.items():
            if not set(methods) & set(self.methods) and getattr(self, key) != type(self).model_fields[key].default:
                raise PydanticCustomError(
                    "no_effect",
                    "{key} does nothing without {methods} in attack_method; leave it out, or add one",
                    {"key": key, "methods": " or ".join(methods)},
                )
        if self.parity is not None and self.methods != ["fgsm"]:
            raise PydanticCustomError(
                "no_effect", "{key} 'trust-ser' is for attack_method 'fgsm', the one that it has", {"key": "parity"}
            )
        if self.parity is not None and self.target is not None:
            raise PydanticCustomError(
                "no_effect", "{key} 'trust-ser' has no target; leave one of both out", {"key": "parity"}
            )
        return self
