"""Makes tiny models with random weights, laid out as the Hugging Face hub lays out real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import transformers
from torch import nn

WAV2VEC_SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8, 8, 8, 8, 8, 8, 8),
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 8,
    "num_codevectors_per_group": 4,
    "codevector_dim": 8,
    "proj_codevector_dim": 8,
    # As large as configs on the hub have it, so that leaving it on is seen.
    "hidden_dropout": 0.1,
    "attention_dropout": 0.1,
    "layerdrop": 0.5,
    "mask_time_prob": 0.5,
    "mask_time_length": 2,
}
BASE = {"feat_extract_norm": "group", "do_stable_layer_norm": False}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}

WHISPER_SIZES: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_target_positions": 8,
    "vocab_size": 16,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 3,
    "dropout": 0.1,
    "encoder_layerdrop": 0.5,
}

# Class, config, and whether the waveform is normalised: as the first checkpoint named in the comment has it.
WAV2VEC_KINDS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "wav2vec2_base": ("Wav2Vec2ForCTC", BASE, True),  # facebook/wav2vec2-base-960h
    "wav2vec2_large": ("Wav2Vec2ForPreTraining", LARGE, True),  # facebook/wav2vec2-large-xlsr-53
    "wav2vec2_conformer": ("Wav2Vec2ConformerModel", LARGE, True),  # facebook/wav2vec2-conformer-rel-pos-large
    "hubert": ("HubertModel", BASE, True),  # facebook/hubert-base-ls960
    "hubert_batch_norm": ("HubertModel", {**BASE, "conv_pos_batch_norm": True}, True),  # utter-project/mHuBERT-147
    "wavlm": ("WavLMModel", BASE, False),  # microsoft/wavlm-base-plus
    "wavlm_large": ("WavLMModel", LARGE, True),  # microsoft/wavlm-large
    "data2vec": (  # facebook/data2vec-audio-base
        "Data2VecAudioModel",
        {"feat_extract_norm": "layer", "conv_pos_kernel_size": 5, "num_conv_pos_embeddings": 3},
        True,
    ),
    "unispeech_sat": ("UniSpeechSatModel", BASE, False),  # microsoft/unispeech-sat-base-plus
}
WHISPER_KINDS = {
    "whisper": 80,  # openai/whisper-tiny
    "whisper_large_v3": 128,  # openai/whisper-large-v3
}


def write_tiny(kind: str, folder: Path, seed: int = 0, weights: str = "model.safetensors") -> Path:
    """Write a model of a kind into a folder and return the folder.

    `weights` is "model.safetensors", or "pytorch_model.bin" as checkpoints of before 2023 have it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    extractor: Any
    if kind in WHISPER_KINDS:
        bins = WHISPER_KINDS[kind]
        name, settings = "WhisperForConditionalGeneration", {**WHISPER_SIZES, "num_mel_bins": bins}
        extractor = transformers.WhisperFeatureExtractor(feature_size=bins)
    else:
        name, own, normalise = WAV2VEC_KINDS[kind]
        settings = {**WAV2VEC_SIZES, **own}
        extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalise, return_attention_mask=own is LARGE)
    kind_of_model: Any = getattr(transformers, name)
    config = kind_of_model.config_class(**settings, architectures=[name])
    with torch.random.fork_rng(devices=[]):
        model = kind_of_model(config)
    fill(model, seed)
    config.save_pretrained(folder)
    extractor.save_pretrained(folder)
    write_weights(model, folder / weights)
    return folder


def write_weights(model: nn.Module, file: Path) -> None:
    """Save the weights of a model; a `.bin` has the names that torch gave to the parts of normed weights then."""
    state = {name: values.detach().clone().contiguous() for name, values in model.state_dict().items()}
    if file.suffix == ".safetensors":
        safetensors.torch.save_file(state, file, metadata={"format": "pt"})
        return
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for new, former in old.items():
        state = {name.replace(new, former): values for name, values in state.items()}
    torch.save(state, file)


def fill(model: nn.Module, seed: int) -> None:
    """Draw all weights, biases too, so large that every part of the model matters."""
    generator = torch.Generator().manual_seed(seed)
    for name, values in model.state_dict().items():
        if not values.is_floating_point() or "embed_positions" in name or name.endswith("inv_freq"):
            continue
        noise = torch.randn(values.shape, generator=generator)
        if name.endswith("running_var"):
            values.copy_(1.0 + 0.2 * noise.abs())
        elif values.dim() > 1:
            values.copy_(noise * (1.5 / values[0].numel() ** 0.5))
        else:
            values.copy_(0.3 * noise + (1.0 if name.endswith("weight") else 0.0))


def speech(samples: int, seed: int = 0) -> torch.Tensor:
    """Return something like speech: tones under an envelope, noise, and a small offset."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(samples) / 16000
    pitch = 100 + 150 * torch.rand(1, generator=generator)
    tones = sum(torch.sin(2 * torch.pi * pitch * harmonic * time) / harmonic for harmonic in range(1, 9))
    envelope = 0.1 + torch.sin(2 * torch.pi * 3 * time).abs()
    noise = 0.02 * torch.randn(samples, generator=generator)
    return 0.1 * envelope * torch.as_tensor(tones) + noise + 0.01


def batch(*clips: torch.Tensor, padding: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return clips as one batch with something behind the shorter ones, and their lengths."""
    waveforms = nn.utils.rnn.pad_sequence(list(clips), batch_first=True, padding_value=padding)
    return waveforms, torch.tensor([len(clip) for clip in clips])
