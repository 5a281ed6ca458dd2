"""The key `backbones`: what turns speech into features."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from candor.config.recipes import Mode
from candor.config.section import Section

WITH_ATTENTION = ("mockingjay", "tera", "audio_albert", "decoar2", "distiller")
"""Upstreams of s3prl that are transformers."""

HUB = "https://huggingface.co"


class BackboneSection(Section):
    """What entries of all families share."""

    needs_weights: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True
    """Whether a gradient reaches the waveform."""

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return in which modes of a recipe it can take part: what has no weights has nothing to tune."""
        return ("frozen",)

    def options(self) -> dict[str, Any]:
        """Return what hidden states depend on besides the weights: not where those come from."""
        return self.model_dump(exclude={"family", "checkpoint", "sha256", "model", "revision", "pretrain"})


class Fbank(BackboneSection):
    """Log-mel filter bank energies: the baseline that every learned backbone has to beat."""

    family: Literal["fbank"] = Field("fbank", description="The kind of backbone.")
    mel_bins: int = Field(80, ge=8, le=128, description="Number of mel filters.")


class OpenSmile(BackboneSection):
    """Features made by hand, as openSMILE computes them. No gradient reaches the waveform."""

    differentiable: ClassVar[bool] = False

    family: Literal["opensmile"] = Field("opensmile", description="The kind of backbone.")
    feature_set: Literal["eGeMAPSv02", "eGeMAPSv01b", "GeMAPSv01b", "emobase", "ComParE_2016"] = Field(
        "eGeMAPSv02", description="The set of features."
    )
    level: Literal["functionals", "lld"] = Field(
        "functionals",
        description="`functionals`: one vector for the whole clip; `lld`: the low-level descriptors, one vector per "
        "10 ms, whose mean and deviation over time are taken like those of any backbone.",
    )


class Pretrain(Section):
    """Train APC on your own audio: a GRU that foretells log-mel frames, saved as s3prl saves it."""

    dataset: Annotated[list[str], Field(min_length=1)] = Field(
        description="Datasets to listen to; labels are not looked at, and every clip of them takes part.",
        examples=[["demo_unlabelled"], ["ravdess", "emodb"]],
    )
    num_layers: int = Field(3, ge=1, le=12, description="GRU layers; each yields hidden states.")
    hidden_size: int = Field(512, ge=8, description="Units of each layer.")
    residual: bool = Field(True, description="Add each layer's input to its output, from the second layer on.")
    dropout: float = Field(0.0, ge=0, lt=1, allow_inf_nan=False, description="Dropout between layers, in training.")
    time_shift: int = Field(1, ge=1, le=20, description="How many frames of 10 ms ahead is foretold; 1: the next one.")
    num_epochs: int = Field(
        20, ge=0, description="Passes over the training clips; 0 keeps the random weights, for comparison."
    )
    batch_seconds: float = Field(16.0, gt=0, allow_inf_nan=False, description="Audio per step, in seconds.")
    learning_rate: float = Field(0.002, gt=0, allow_inf_nan=False, description="Peak learning rate of Adam.")
    clip_norm: float = Field(5.0, gt=0, allow_inf_nan=False, description="Largest norm of a gradient.")
    max_seconds: float = Field(
        2.0,
        gt=0,
        allow_inf_nan=False,
        description="Longer clips are cut into equal pieces of at most so many seconds.",
    )
    held_out: float = Field(
        0.1, gt=0, lt=1, allow_inf_nan=False, description="Share of speakers whose audio is only used to check."
    )
    seed: int = Field(0, ge=0, description="Seed of the weights, of the order and of the choice of speakers.")


class S3prl(BackboneSection):
    """A backbone that s3prl loads."""

    needs_weights: ClassVar[bool] = True

    family: Literal["s3prl"] = Field("s3prl", description="The kind of backbone.")
    upstream: Literal["apc", "vq_apc", "npc", "mockingjay", "tera", "audio_albert", "decoar2", "distiller"] = Field(
        description="The upstream of s3prl that reads the checkpoint."
    )
    checkpoint: str | None = Field(
        None,
        description="Where the checkpoint is: an address that starts with https://, or a file.",
        examples=["https://huggingface.co/leo19941227/apc_series/resolve/main/apc_360hr.ckpt", "~/apc.ckpt"],
    )
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="What the SHA-256 of the checkpoint must be. Empty: what comes is recorded.",
    )
    pretrain: Pretrain | None = Field(
        None, description="Train the checkpoint here instead, on your own audio. For the upstream `apc`."
    )

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return in which modes of a recipe it can take part: LoRA adapts attention, which recurrent ones have not."""
        return get_args(Mode) if self.upstream in WITH_ATTENTION else ("frozen", "last_layer", "full")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.checkpoint is None) == (self.pretrain is None):
            raise PydanticCustomError("source", "say either checkpoint or pretrain")
        if self.pretrain is not None and self.upstream != "apc":
            raise PydanticCustomError("pretrain", "only the upstream apc can be pretrained here")
        if self.pretrain is not None and self.sha256 is not None:
            raise PydanticCustomError("sha256", "sha256 is for a checkpoint that exists; leave it out with pretrain")
        return self


class Transformers(BackboneSection):
    """A backbone that transformers loads: wav2vec 2.0, HuBERT, WavLM, data2vec-audio, UniSpeech-SAT, Whisper."""

    needs_weights: ClassVar[bool] = True

    family: Literal["transformers"] = Field("transformers", description="The kind of backbone.")
    model: str = Field(
        min_length=1,
        description="Name of the model on the Hugging Face hub, or a folder with config.json and its weights.",
        examples=["microsoft/wavlm-large", "facebook/hubert-base-ls960", "/models/ours"],
    )
    revision: str = Field(
        "main", min_length=1, description="Branch, tag or commit on the hub; the commit that comes is recorded."
    )
    parity: Literal["trust-ser"] | None = Field(
        None,
        description="Run it as that system does: the waveform as it is even where the model was trained on "
        "normalised ones, and without the states below the first layer.",
    )

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return in which modes of a recipe it can take part: in all."""
        return get_args(Mode)


Backbone = Annotated[Fbank | OpenSmile | S3prl | Transformers, Field(discriminator="family")]
"""An entry of `backbones`."""

KNOWN: Mapping[str, Mapping[str, str]] = {
    "fbank": {"family": "fbank"},
    "egemaps": {"family": "opensmile", "feature_set": "eGeMAPSv02"},
    "emobase": {"family": "opensmile", "feature_set": "emobase"},
    "apc": {
        "family": "s3prl",
        "upstream": "apc",
        "checkpoint": f"{HUB}/leo19941227/apc_series/resolve/main/apc_360hr.ckpt",
    },
    "vq_apc": {
        "family": "s3prl",
        "upstream": "vq_apc",
        "checkpoint": f"{HUB}/leo19941227/apc_series/resolve/main/vq_apc_360hr.ckpt",
    },
    "npc": {
        "family": "s3prl",
        "upstream": "npc",
        "checkpoint": f"{HUB}/leo19941227/apc_series/resolve/main/npc_360hr.ckpt",
    },
    "tera": {
        "family": "s3prl",
        "upstream": "tera",
        "checkpoint": f"{HUB}/s3prl/tera/resolve/main/tera_logMelBase_T_F_M_AdamW_b32_1m_960hr_drop1/"
        "states-1000000.ckpt",
    },
    "decoar2": {
        "family": "s3prl",
        "upstream": "decoar2",
        "checkpoint": f"{HUB}/s3prl/converted_ckpts/resolve/main/checkpoint_decoar2.pt",
    },
    "distilhubert": {
        "family": "s3prl",
        "upstream": "distiller",
        "checkpoint": f"{HUB}/leo19941227/distilhubert/resolve/main/distilhubert_ls960_4-8-12.ckpt",
    },
    "wav2vec2_0": {"family": "transformers", "model": "facebook/wav2vec2-base-960h"},
    "hubert": {"family": "transformers", "model": "facebook/hubert-base-ls960"},
    "wavlm": {"family": "transformers", "model": "microsoft/wavlm-base-plus"},
    "whisper_tiny": {"family": "transformers", "model": "openai/whisper-tiny"},
    "whisper_base": {"family": "transformers", "model": "openai/whisper-base"},
    "whisper_small": {"family": "transformers", "model": "openai/whisper-small"},
}
"""Entries that a name alone stands for: the seven of trust-ser with its checkpoints, and their relatives."""


def filled_in(name: str, entry: Any) -> Any:
    """Return an entry with what its name stands for, unless it says of which family it is.

    >>> filled_in("whisper_tiny", {"parity": "trust-ser"})["model"]
    'openai/whisper-tiny'
    """
    if not isinstance(entry, dict) or "family" in entry or name not in KNOWN:
        return entry
    known = dict(KNOWN[name])
    if "pretrain" in entry:
        known.pop("checkpoint", None)
    return {**known, **entry}
