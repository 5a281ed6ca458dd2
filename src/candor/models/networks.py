"""Networks that read every frame, of stored hidden states or of a backbone that runs along."""

from __future__ import annotations

import torch
from torch import nn

from candor.backbones.interface import Backbone
from candor.models.heads.build import build_head
from candor.models.heads.layer_mix import LayerMix
from candor.models.inputs import AudioBatch, FrameBatch
from candor.models.recipe import Recipe


class FrameNetwork(nn.Module):
    """Layers weighted and summed, then a head that reads every frame.

    Parameters
    ----------
    layers, dimensions
        Shape of the hidden states.
    outputs
        Classes, or one for a rating.
    recipe
        Which head.
    """

    def __init__(self, layers: int, dimensions: int, outputs: int, recipe: Recipe) -> None:
        super().__init__()
        self.mix = LayerMix(layers)
        self.head = build_head(
            recipe.downstream_model,
            dimensions,
            outputs,
            hidden_size=recipe.hidden_size,
            conv_layers=recipe.conv_layers,
            num_layers=recipe.num_layers,
            pooling=recipe.pooling,
            dropout=recipe.dropout,
        )

    def embed(self, batch: FrameBatch) -> torch.Tensor:
        """Return the emotion embedding, [utterances, width]."""
        return self.head.embed(self.mix(batch.states, batch.offset, batch.scale), batch.lengths)

    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return the outputs of embeddings, [utterances, outputs]."""
        return self.head.decide(embedding)

    def forward(self, batch: FrameBatch) -> torch.Tensor:
        """Return the outputs, [utterances, outputs]."""
        return self.decide(self.embed(batch))

    def layer_weights(self) -> list[float]:
        """Return the weight of each layer of the backbone."""
        return [float(weight) for weight in self.mix.weights().detach()]


class AudioNetwork(nn.Module):
    """A backbone and a head on its frames, from waveforms to outputs.

    Parameters
    ----------
    backbone
        The backbone.
    head
        What reads its states.
    precision
        Numbers that the backbone computes in.
    """

    def __init__(self, backbone: Backbone, head: FrameNetwork, precision: str = "float32") -> None:
        super().__init__()
        self.backbone, self.head, self.precision = backbone, head, precision

    def embed(self, batch: AudioBatch) -> torch.Tensor:
        """Return the emotion embedding, [utterances, width]."""
        lower = torch.autocast(batch.waveforms.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")
        with lower:
            hidden = self.backbone(batch.waveforms, batch.lengths)
        lengths = hidden.lengths.cpu()
        states = [hidden.states[:, number, :frames].float() for number, frames in enumerate(lengths.tolist())]
        return self.head.embed(FrameBatch(states, lengths))

    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return the outputs of embeddings, [utterances, outputs]."""
        return self.head.decide(embedding)

    def forward(self, batch: AudioBatch) -> torch.Tensor:
        """Return the outputs, [utterances, outputs]."""
        return self.decide(self.embed(batch))

    def layer_weights(self) -> list[float]:
        """Return the weight of each layer of the backbone."""
        return self.head.layer_weights()
