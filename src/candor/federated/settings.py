"""What a run depends on, as the config says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CENTRAL = "central"
"""The `model_type` of training at one place."""

PUBLISHED = "fed-ser-leakage"
"""The `parity` with which a run goes as published."""

CLIENT_DP, LOCAL_DP, USER_DP = "client_dp", "local_dp", "user_dp"
"""The `kind` of defences with an epsilon; that of the last one does not hold."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong at the clients; the fields are the keys of the config."""

    drop_out: float = 0.0
    straggle: float = 0.0
    straggler_work: float = 0.5
    broken: float = 0.0
    poisoned: float = 0.0
    poison: str = "sign_flip"
    label_noise: float = 0.0
    microphone_noise: Sequence[float] = ()


@dataclass(frozen=True)
class Imitated:
    """The defence of other clients, which made-up ones imitate, so that nobody's budget is at stake.

    Parameters
    ----------
    clients, per_round
        How many these others are, and how many are expected to take part in a round.
    noise
        How strong the noise on an update of theirs is, relative to the clip; none where it hangs on their examples.
    """

    clients: int
    per_round: int
    noise: float | None = None


@dataclass(frozen=True)
class Defence:
    """What is done to updates before anybody sees them; the fields are the keys of the config, and `imitated`.

    That is for an attacker who has made-up clients do as others do.
    """

    kind: str = "none"
    epsilon: float | None = None
    delta: float | None = None
    clip: float | None = None
    noise: float | None = None
    share: float | None = None
    imitated: Imitated | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Defence:
        """Return what the facts of a run tell, or an entry of the config."""
        others = options.get("imitated")
        return cls(**{**options, "imitated": Imitated(**others) if others else None})

    @property
    def guarantees(self) -> bool:
        """Return whether an epsilon holds of it, which then nothing else of a run may undo."""
        return self.kind in (CLIENT_DP, LOCAL_DP)


@dataclass(frozen=True)
class Kept:
    """What is kept of a run; the fields are the keys of the config."""

    updates_every: int = 10
    layers: Sequence[str] = ()
    precision: str = "float16"
    models_every: int = 10
    standalone: bool = False


@dataclass(frozen=True)
class Server:
    """How the server steps; the fields are the keys of the config."""

    learning_rate: float = 1.0
    momentum: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.99
    tau: float = 0.001


@dataclass(frozen=True)
class Settings:
    """How clients train a model together; the fields are the keys of the config, with all defaults filled in."""

    model_type: str = "fed_avg"
    workload: str = "emotion"
    downstream_model: str = "mlp"
    layer: str | int = "last"
    hidden_size: Sequence[int] = (256, 128)
    dropout: float = 0.2
    norm: str = "znorm"
    norm_scope: str = "speaker"
    audio_duration: float | None = 6.0
    partition: str = "auto"
    shards: int = 10
    clients: int = 10
    concentration: float = 0.5
    validation: float = 0.2
    clients_per_round: float | None = None
    num_epochs: int = 200
    local_epochs: int = 1
    batch_size: int | None = 20
    learning_rate: float = 0.0005
    optimizer: str = "adam"
    weight_decay: float = 0.0001
    momentum: float = 0.0
    federate_after_n_batches: int | None = None
    on_exhausted: str = "wrap"
    shuffle: bool = True
    drop_last: bool = False
    test_batch_size: int = 1000
    evaluate_every: int = 1
    select_after: int = 0
    server: Server = field(default_factory=Server)
    proximal: float | None = None
    trimmed: float | None = None
    malicious: int | None = None
    selected: int | None = None
    faults: Faults = field(default_factory=Faults)
    defence: Defence = field(default_factory=Defence)
    keep: Kept = field(default_factory=Kept)
    save_model: bool = True
    engine: str = "auto"
    seed: int = 8
    parity: str | None = None

    @property
    def is_central(self) -> bool:
        """Return whether all data is at one place."""
        return self.model_type == CENTRAL

    @property
    def tests_last(self) -> bool:
        """Return whether the last model is tested, as to select one by the clients' data would cost privacy too."""
        return self.defence.guarantees

    @property
    def keeps_updates(self) -> bool:
        """Return whether what clients send is kept."""
        return bool(self.keep.updates_every) and not self.is_central

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """Return the settings of an entry of the config, as `FederatedRun.options` gives them."""
        parts: dict[str, Callable[[Any], Any]] = {
            "server": lambda own: Server(**own),
            "faults": lambda own: Faults(**own),
            "defence": Defence.of,
            "keep": lambda own: Kept(**own),
        }
        return cls(**{key: parts[key](own) if key in parts else own for key, own in options.items()})
