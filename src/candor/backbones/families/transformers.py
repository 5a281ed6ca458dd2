"""Backbones that transformers loads: wav2vec 2.0 and its relatives, and the encoder of Whisper.

They are read from a folder as the Hugging Face hub lays it out: `config.json`, the weights, and for most
`preprocessor_config.json`, which says how the waveform is prepared. Nothing is fetched here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from candor.backbones.interface import Backbone, BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FEATURES_VERSION = 1

WAV2VEC_LIKE: Mapping[str, str] = {
    "wav2vec2": "Wav2Vec2Model",
    "hubert": "HubertModel",
    "wavlm": "WavLMModel",
    "data2vec-audio": "Data2VecAudioModel",
    "unispeech-sat": "UniSpeechSatModel",
    "wav2vec2-conformer": "Wav2Vec2ConformerModel",
}
"""Kinds of model that take the waveform itself, and their classes in transformers."""

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Names of weights, the preferred one first; an index lists the parts of a large model."""

UNUSED = {"masked_spec_embed"}
"""Weights that have a part only in training, so that a checkpoint may lack them."""

SAMPLE_RATE = 16000


def load(options: Mapping[str, Any], weights: Path | None) -> Backbone:
    """Return the backbone that a folder holds.

    Parameters
    ----------
    options
        `parity` is None, or "trust-ser" to feed the waveform as it is and to leave out the states below the first
        layer.
    weights
        The folder.
    """
    if weights is None or not weights.is_dir():
        raise BackboneError(f"{weights} is not a folder with config.json and weights of a model")
    settings = _read_json(weights / "config.json")
    kind = settings.get("model_type")
    as_it_is = options.get("parity") == "trust-ser"
    if kind in WAV2VEC_LIKE:
        return _wav2vec_like(weights, settings, as_it_is)
    if kind == "whisper":
        return _whisper(weights, settings, as_it_is)
    raise BackboneError(
        f"{weights / 'config.json'}: model_type is {kind!r}; allowed are {', '.join([*WAV2VEC_LIKE, 'whisper'])}"
    )


def _wav2vec_like(folder: Path, settings: dict[str, Any], as_it_is: bool) -> Backbone:
    import transformers

    from candor.backbones.wav2vec_like import Wav2VecLike

    # An adapter behind the encoder would shorten the last state and no other.
    settings = {**settings, "add_adapter": False}
    model = _build(getattr(transformers, WAV2VEC_LIKE[settings["model_type"]]), settings, _read_state(folder), folder)
    preparation = _preparation(folder)
    normalise = preparation is not None and preparation.get("do_normalize", True)
    return Wav2VecLike(model, normalise=normalise and not as_it_is, first_state=int(as_it_is))


def _whisper(folder: Path, settings: dict[str, Any], as_it_is: bool) -> Backbone:
    import transformers
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from candor.backbones.whisper import Whisper

    # The encoder alone: a checkpoint of the whole model has it below `model.encoder`, one without head below `encoder`.
    encoder = {
        name.removeprefix("model.").removeprefix("encoder."): values
        for name, values in _read_state(folder).items()
        if name.removeprefix("model.").startswith("encoder.")
    }
    model = _build(WhisperEncoder, settings, encoder, folder)
    make_extractor: Any = transformers.WhisperFeatureExtractor
    extractor = make_extractor(**{"feature_size": model.config.num_mel_bins, **(_preparation(folder) or {})})
    if extractor.feature_size != model.config.num_mel_bins:
        raise BackboneError(
            f"{folder}: preprocessor_config.json makes {extractor.feature_size} mel bins, "
            f"config.json expects {model.config.num_mel_bins}"
        )
    return Whisper(model, extractor, first_state=int(as_it_is))


def _build(kind: type[PreTrainedModel], settings: dict[str, Any], state: dict[str, Any], folder: Path) -> Any:
    """Return a model of a class of transformers with the weights of `state`, all of which it needs."""
    config = kind.config_class.from_dict(settings)  # type: ignore[union-attr]
    with _quietly(), torch.random.fork_rng(devices=[]):  # weights are drawn before they are overwritten
        loaded: Any = kind.from_pretrained(
            None,
            config=config,
            state_dict=state,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # they are reported below
            output_loading_info=True,
            dtype=torch.float32,
        )
    model, report = loaded
    missing = sorted(set(report["missing_keys"]) - UNUSED)
    if missing:
        raise BackboneError(f"{folder}: the checkpoint lacks {_first_of(missing)}, which the model of config.json has")
    misfits = sorted(name for name, *_ in report["mismatched_keys"])
    if misfits:
        raise BackboneError(f"{folder}: {_first_of(misfits)} of the checkpoint has another shape than config.json says")
    return model


def _first_of(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers from printing about weights that the encoder has no use for."""
    import transformers

    logging: Any = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _preparation(folder: Path) -> dict[str, Any] | None:
    """Return how the waveform is prepared, or None if the folder does not say."""
    settings: dict[str, Any] | None = None
    if (folder / "preprocessor_config.json").exists():
        settings = _read_json(folder / "preprocessor_config.json")
    elif (folder / "processor_config.json").exists():  # where transformers saves it since version 5
        settings = _read_json(folder / "processor_config.json").get("feature_extractor")
    rate = SAMPLE_RATE if settings is None else settings.get("sampling_rate", SAMPLE_RATE)
    if rate != SAMPLE_RATE:
        raise BackboneError(f"{folder}: the model takes audio at {rate} Hz; here all audio is at {SAMPLE_RATE} Hz")
    return settings


def _read_state(folder: Path) -> dict[str, torch.Tensor]:
    for name in WEIGHTS:
        file = folder / name
        if not file.exists():
            continue
        if not name.endswith(".index.json"):
            return _read_weights(file)
        parts = sorted(set(_read_json(file)["weight_map"].values()))
        return {key: values for part in parts for key, values in _read_weights(folder / part).items()}
    raise BackboneError(f"{folder} has neither model.safetensors nor pytorch_model.bin")


def _read_weights(file: Path) -> dict[str, torch.Tensor]:
    _check(file)
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load_file(file)
        state: dict[str, torch.Tensor] = torch.load(file, map_location="cpu", weights_only=True)
        return state
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise BackboneError(f"{file} is cut short or damaged, or holds more than weights; fetch it again") from error


def _read_json(file: Path) -> dict[str, Any]:
    _check(file)
    try:
        settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BackboneError(f"{file} is not a JSON file; fetch it again") from error
    return settings


def _check(file: Path) -> None:
    """Refuse a file that is missing, or that only points to where git-lfs keeps it."""
    if not file.is_file():
        raise BackboneError(f"{file} is missing")
    with file.open("rb") as stream:
        if stream.read(40).startswith(b"version https://git-lfs"):
            raise BackboneError(
                f"{file} is a git-lfs pointer, not the file itself; run `git lfs pull` where it is from"
            )
