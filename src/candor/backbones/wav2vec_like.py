"""wav2vec 2.0, HuBERT, WavLM, data2vec-audio, UniSpeech-SAT: convolutions on the waveform, then a transformer.

transformers runs them. In a batch of clips of different lengths its modules let the padding in at two places: the
group norm of "base" models, whose statistics run over the padding too, and convolutions in front of the transformer
that follow upon something that is not zero behind a clip. Both are replaced here, so that a clip fares in a batch as
it would alone. Weights and their names stay as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from candor.backbones.interface import Backbone, Hidden, pad


class Reach:
    """How far the clips of the batch at hand reach, for the modules inside the model that have to know it."""

    after_first_convolution: tuple[int, ...] = ()
    """Frames of each clip."""

    padding: torch.Tensor | None = None
    """What lies behind the clips in front of the transformer, shape [batch, 1, frames]; None if nothing does."""


class ClipwiseGroupNorm(nn.GroupNorm):
    """A group norm with the weights of another, over each clip's own frames instead of all frames."""

    def __init__(self, norm: nn.GroupNorm, reach: Reach) -> None:
        super().__init__(norm.num_groups, norm.num_channels, norm.eps, affine=False)
        self.affine, self.weight, self.bias = norm.affine, norm.weight, norm.bias
        self.reach = reach

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Normalise a batch of the shape [batch, channels, frames]."""
        frames, longest = self.reach.after_first_convolution, hidden.shape[-1]
        norm = super().forward
        if min(frames) == longest:
            return norm(hidden)
        clips = [norm(hidden[number : number + 1, :, :own]) for number, own in enumerate(frames)]
        return torch.cat([functional.pad(clip, (0, longest - clip.shape[-1])) for clip in clips])


class Silence:
    """A hook that puts zeros behind the clips in what a module returns, of the shape [batch, channels, frames]."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach

    def __call__(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        """Return the output with zeros behind the clips."""
        padding = self.reach.padding
        return output if padding is None else output.masked_fill(padding, 0.0)


class FusedWavLMAttention(WavLMAttention):
    """WavLM's attention with torch's fused kernel.

    Besides being faster it calls the projections as modules. The original one takes their weights only, so that LoRA
    around them would never learn.
    """

    def torch_multi_head_self_attention(  # type: ignore[override]
        self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None, gated_position_bias: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        """Return what the heads attend to; `attention_mask` is true for frames that exist."""
        batch, frames, _ = hidden_states.shape
        query, key, value = (
            projection(hidden_states).view(batch, frames, self.num_heads, self.head_dim).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        bias = gated_position_bias.view(batch, self.num_heads, frames, frames).to(query.dtype)
        if attention_mask is not None:
            bias = bias.masked_fill(~attention_mask[:, None, None, :], float("-inf"))
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.out_proj(attended.transpose(1, 2).flatten(2)), None


class Wav2VecLike(Backbone):
    """A model of this kind.

    Parameters
    ----------
    model
        The model without a head.
    normalise
        Whether it expects waveforms of zero mean and unit variance.
    first_state
        The first hidden state to return: 0 is what goes into the first layer, 1 what comes out of it.
    """

    def __init__(self, model: PreTrainedModel, normalise: bool, first_state: int) -> None:
        super().__init__()
        self.model: Any = model
        self.normalise = normalise
        self.first_state = first_state
        self.layers = model.config.num_hidden_layers + 1 - first_state
        self.dimensions = model.config.hidden_size
        self.lora_targets = _projections(model)
        self.shortest = _receptive_field(model.config.conv_kernel, model.config.conv_stride)
        self.reach = Reach()
        _shut_out_padding(model, self.reach)
        _fuse_attention(model)
        self.train()

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Return the hidden states of each waveform; one too short for a frame has none."""
        samples = torch.as_tensor(lengths.tolist())
        heard = samples.clamp(min=self.shortest)
        waveforms, exists = _cut(waveforms, samples, int(heard.max()))
        if self.normalise:
            waveforms = _normalised(waveforms, exists)
        frames = self._frames(heard)
        mask = self._tell_reach(heard, frames, waveforms.device)
        output = self.model(waveforms, attention_mask=mask, output_hidden_states=True)
        # In models with a norm behind the last layer, `hidden_states` ends before it, or behind it, as the version
        # of transformers will have it.
        states = torch.stack([*output.hidden_states[self.first_state : -1], output.last_hidden_state])
        counts = torch.where(samples < self.shortest, 0, frames).tolist()
        return pad([own[:, :count] for own, count in zip(states.unbind(dim=1), counts, strict=True)])

    def last_layer(self) -> nn.Module:
        """Return the last layer of the transformer."""
        layer: nn.Module = self.model.encoder.layers[-1]
        return layer

    def _frames(self, samples: torch.Tensor) -> torch.Tensor:
        frames: torch.Tensor = self.model._get_feat_extract_output_lengths(samples)
        return frames

    def _tell_reach(self, samples: torch.Tensor, frames: torch.Tensor, device: torch.device) -> torch.Tensor | None:
        """Note how far clips reach; return which samples exist, or None if all clips have the same frames."""
        kernel, stride = self.model.config.conv_kernel[0], self.model.config.conv_stride[0]
        self.reach.after_first_convolution = tuple(((samples - kernel) // stride + 1).tolist())
        self.reach.padding = None
        if frames.min() == frames.max():
            return None
        self.reach.padding = ~_exists(frames, int(frames.max()), device)[:, None]
        return _exists(samples, int(samples.max()), device)


def _exists(lengths: torch.Tensor, longest: int, device: torch.device) -> torch.Tensor:
    return torch.arange(longest, device=device) < lengths.to(device)[:, None]


def _cut(waveforms: torch.Tensor, samples: torch.Tensor, longest: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return waveforms of a given length with zeros behind each clip, and where they are not padding."""
    waveforms = functional.pad(waveforms, (0, longest - waveforms.shape[1]))
    exists = _exists(samples, longest, waveforms.device)
    return torch.where(exists, waveforms, 0.0), exists


def _normalised(waveforms: torch.Tensor, exists: torch.Tensor) -> torch.Tensor:
    """Give each clip zero mean and unit variance, as `Wav2Vec2FeatureExtractor` does."""
    counts = exists.sum(dim=1, keepdim=True).clamp(min=1)
    centred = torch.where(exists, waveforms - waveforms.sum(dim=1, keepdim=True) / counts, 0.0)
    variance = centred.square().sum(dim=1, keepdim=True) / counts
    return centred / torch.sqrt(variance + 1e-7)


def _receptive_field(kernels: list[int], strides: list[int]) -> int:
    """Return how many samples one frame needs.

    >>> _receptive_field([10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2])
    400
    """
    samples = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def _projections(model: PreTrainedModel) -> tuple[str, str]:
    """Return what a model calls its projections to queries and to values."""
    names = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    return ("q_proj", "v_proj") if "q_proj" in names else ("linear_q", "linear_v")


def _shut_out_padding(model: PreTrainedModel, reach: Reach) -> None:
    """Replace what would let padding change the frames of a clip."""
    parts: Any = model
    first = parts.feature_extractor.conv_layers[0]
    if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
        first.layer_norm = ClipwiseGroupNorm(first.layer_norm, reach)
    silence = Silence(reach)
    for module in _before_convolutions(parts.encoder):
        module.register_forward_hook(silence)


def _before_convolutions(encoder: Any) -> list[nn.Module]:
    """Return the modules whose output is not zero behind a clip and goes into a convolution."""
    position = getattr(encoder, "pos_conv_embed", None)
    stack_of_data2vec = getattr(position, "layers", [])
    shift_of_some_huberts = getattr(position, "batch_norm", None)
    inside_conformers = [module for module in encoder.modules() if isinstance(module, nn.GLU)]
    return [*stack_of_data2vec, *filter(None, [shift_of_some_huberts]), *inside_conformers]


def _fuse_attention(model: PreTrainedModel) -> None:
    for module in model.modules():
        if isinstance(module, WavLMAttention):
            module.__class__ = FusedWavLMAttention
