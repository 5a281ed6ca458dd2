"""Heads written plainly, on padded batches, as oracles."""

import torch
from torch import nn


def padded(frames, lengths):
    """Return [utterances, frames, dimensions] with zeros, and where frames are real."""
    together = nn.utils.rnn.pad_sequence(list(frames.split(lengths.tolist())), batch_first=True)
    return together, torch.arange(together.shape[1]) < lengths[:, None]


def pool(name, states, real, score=None):
    """Pool padded states; what lies in the padding is spoilt first, so that using it shows."""
    states = states.masked_fill(~real[..., None], 1e3)
    share = real / real.sum(dim=1, keepdim=True)
    if name == "att":
        share = score(states)[..., 0].masked_fill(~real, -torch.inf).softmax(dim=1)
    mean = (states * share.to(states)[..., None]).sum(dim=1)
    if name != "std":
        return mean
    rows = [own[keep].std(dim=0, correction=0) for own, keep in zip(states, real, strict=True)]
    return torch.cat([mean, torch.stack(rows)], dim=1)


class SeedCnn(nn.Module):
    """The head of trust-ser by its description: Conv1d of width one, ReLU and dropout between, masked mean, dense."""

    def __init__(self, dimensions, outputs, hidden=256, convolutions=2):
        super().__init__()
        steps = [nn.Conv1d(dimensions, hidden, 1)]
        for _ in range(convolutions - 1):
            steps += [nn.ReLU(), nn.Dropout(0.2), nn.Conv1d(hidden, hidden, 1)]
        self.conv = nn.Sequential(*steps)
        self.score = nn.Linear(hidden, 1)
        self.out = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, frames, lengths, pooling="mean"):
        together, real = padded(frames, lengths)
        states = self.conv(together.transpose(1, 2)).transpose(1, 2)
        return self.out(pool(pooling, states, real, self.score))
