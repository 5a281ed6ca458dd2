"""The key `defence` of an entry of `federated`: what is done to updates before anybody sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from candor.config.federated_parts import Rate, refused, without_effect
from candor.config.section import Section

if TYPE_CHECKING:
    from candor.config.federated import FederatedRun

GUARANTEED = ("client_dp", "local_dp")
"""Kinds whose epsilon holds."""

PRIVATE = (*GUARANTEED, "user_dp")
"""Kinds that claim an epsilon."""

NOT_SUMMED = ("median", "trimmed_mean", "krum", "multi_krum")
"""Algorithms that do more with updates than to add them up."""

KINDS_WITH = {
    "epsilon": PRIVATE,
    "delta": PRIVATE,
    "clip": PRIVATE,
    "noise": GUARANTEED,
    "share": ("top_k",),
}
"""Which kinds a key says something of."""

FILLED = {
    "client_dp": {"delta": 1e-5, "clip": 0.5},
    "local_dp": {"delta": 1e-5, "clip": 0.5},
    "user_dp": {"delta": 0.5, "clip": 0.25},
    "top_k": {"share": 0.05},
}
"""What stands where nothing is given; of `user_dp` it is fed-ser-leakage's."""


def _budget(value: Any) -> Any:
    """Refuse what is no budget with all that may stand there, which of a union only one member would name."""
    given = value if isinstance(value, list) else [value]
    numbers = [own for own in given if isinstance(own, int | float) and not isinstance(own, bool)]
    if not given or len(numbers) < len(given) or not all(0 < own < float("inf") for own in numbers):
        raise PydanticCustomError("budget", "it is a number above 0, or a list of such")
    if len(set(numbers)) < len(numbers):
        raise PydanticCustomError("budget", "it names a number twice")
    return value


class Defence(Section):
    """What is done to what clients send, before anybody sees it."""

    kind: Literal["none", "client_dp", "local_dp", "user_dp", "sign", "top_k"] = Field(
        "none",
        description="`client_dp`: who sees the models cannot tell what any one client added, up to epsilon and delta. "
        "`local_dp`: nor can who sees single updates. `user_dp`: fed-ser-leakage's, whose epsilon does not hold; with "
        "`parity` only. `sign` and `top_k` send less of an update, and guarantee nothing.",
    )
    epsilon: Annotated[Rate | list[Rate], BeforeValidator(_budget)] | None = Field(
        None,
        description="The budget of a run; of `local_dp` that of each client. A list makes a run of each, whose name "
        "ends in `_eps` and the number.",
        examples=[10, [5, 10, 25, 50]],
    )
    delta: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="The probability with which epsilon need not hold; well below one over the number of clients. "
        "Empty: .00001, of `user_dp` .5, as published.",
    )
    clip: Rate | None = Field(
        None,
        description="The Euclidean norm that a client's update is cut down to, all layers together; of `user_dp` that "
        "of the gradient of each batch. Empty: .5, of `user_dp` .25.",
    )
    noise: Annotated[float, Field(ge=0.1, allow_inf_nan=False)] | None = Field(
        None,
        description="Standard deviation of the noise over `clip`: of `client_dp` on the sum of all updates, of "
        "`local_dp` on each. Empty: as little as lets all rounds fit the budget. Where it is given, no round is run "
        "that would exceed the budget.",
    )
    share: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Share of its numbers that `top_k` sends, the largest ones. Empty: .05."
    )

    @model_validator(mode="after")
    def _no_key_without_effect(self) -> Self:
        for key, kinds in KINDS_WITH.items():
            if self.kind not in kinds and getattr(self, key) is not None:
                raise without_effect(key, f"without kind {' or '.join(map(repr, kinds))}")
        if self.kind in PRIVATE and self.epsilon is None:
            raise refused("epsilon", f"kind '{self.kind}' needs epsilon, its budget, such as 10 or [5, 10, 25]")
        return self

    @property
    def guarantees(self) -> bool:
        """Whether an epsilon holds of it."""
        return self.kind in GUARANTEED

    def options(self) -> dict[str, Any]:
        """Return all keys with their defaults filled in; the budget must be a single one."""
        assert not isinstance(self.epsilon, list)
        options = self.model_dump()
        filled = FILLED.get(self.kind, {})
        return {key: filled.get(key) if value is None else value for key, value in options.items()}

    def budgets(self) -> Iterator[tuple[str, Defence]]:
        """Yield this defence under each of its budgets, and what the name of a run with that ends in."""
        if not isinstance(self.epsilon, list):
            yield "", self
            return
        for epsilon in self.epsilon:
            yield f"_eps{epsilon:.12g}", self.model_copy(update={"epsilon": epsilon})


def what_cannot_be(run: FederatedRun) -> Iterator[PydanticCustomError]:
    """Yield why the defence of a run cannot be, or why something else cannot be beside it."""
    kind, told = run.defence.kind, f"with defence.kind '{run.defence.kind}'"
    if kind == "none":
        return
    if run.model_type == "central":
        yield refused("defence.kind", "with model_type 'central' no client sends anything; leave defence out")
    if run.model_type == "scaffold":
        yield refused("defence.kind", "scaffold's controls travel beside the updates, and tell as much as they do")
    if kind == "user_dp" and not (run.parity and run.model_type == "fed_avg"):
        yield refused("defence.kind", "it is fed-ser-leakage's: set parity to that and model_type to 'fed_avg'")
    if run.defence.guarantees and run.norm_scope == "train":
        yield refused("norm_scope", f"{told} nothing measured on all clients may be shared; leave it at 'speaker'")
    if kind != "client_dp":
        return
    if run.model_type in NOT_SUMMED:
        yield refused("defence.kind", f"it guards the sum of the updates, and {run.model_type} takes none")
    if run.faults.poisoned:
        yield refused("faults.poisoned", f"{told} every client adds its share of the noise; who lies may leave it out")
    if run.on_exhausted == "stop":
        yield refused("on_exhausted", f"{told} the end of a run must not tell how much clients hold")
