"""Perturbations of waveforms within a budget that is told by the signal-to-noise ratio, as functions of tensors.

All take a padded batch [utterances, samples] and how many samples of each are its own; what lies behind stays as it
is. Each utterance has a budget of its own, so nothing depends on the other utterances of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import torch

Gradient = Callable[[torch.Tensor], torch.Tensor]
"""Takes waveforms; returns in which direction each sample does the model most harm, in the same shape."""

RANGE = (-1.0, 1.0)
"""Samples that a recording can hold."""


def exists(lengths: torch.Tensor, samples: int, device: torch.device) -> torch.Tensor:
    """Return which samples are an utterance's own, [utterances, samples]."""
    return torch.arange(samples, device=device) < lengths.to(device)[:, None]


def rms(waveforms: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the root of the mean square of each utterance, in double precision."""
    own = exists(lengths, waveforms.shape[1], waveforms.device)
    squares = torch.where(own, waveforms.double().square(), 0.0).sum(dim=1)
    return (squares / lengths.to(waveforms.device)).sqrt()


def budget(waveforms: torch.Tensor, lengths: torch.Tensor, snr: float) -> torch.Tensor:
    r"""Return how loud the perturbation of each utterance may be: :math:`\varepsilon = \mathrm{RMS}\,10^{-SNR/20}`.

    Parameters
    ----------
    waveforms, lengths
        The clean utterances.
    snr
        Signal-to-noise ratio in decibels.
    """
    return rms(waveforms, lengths) * 10 ** (-snr / 20)


def pattern(gradient: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the signs of a gradient, scaled to a root mean square of one; zeros for an utterance without gradient.

    Where some samples have no gradient, the signs of the others are scaled up for it, as trust-ser does: the
    perturbation is then as loud as it would be without them.
    """
    own = exists(lengths, gradient.shape[1], gradient.device)
    signs = torch.where(own, gradient.sign(), 0.0)
    share = signs.abs().sum(dim=1, dtype=torch.float64) / lengths.to(gradient.device)
    return signs / share.clamp(min=torch.finfo(torch.float64).tiny).sqrt()[:, None]


def add(waveforms: torch.Tensor, shape: torch.Tensor, loudness: torch.Tensor, *, clip: bool) -> torch.Tensor:
    """Return waveforms with a perturbation of the given shape and loudness.

    Parameters
    ----------
    waveforms
        The clean utterances.
    shape
        The perturbation with a root mean square of one.
    loudness
        The root mean square that it shall have, per utterance.
    clip
        Whether to cut off what a recording cannot hold.
    """
    perturbed = (waveforms + loudness[:, None] * shape).to(waveforms.dtype)
    return perturbed.clamp(*RANGE) if clip else perturbed


def pgd(
    waveforms: torch.Tensor,
    lengths: torch.Tensor,
    radius: torch.Tensor,
    gradient: Gradient,
    *,
    steps: int,
    step_size: float,
    momentum: float | None = None,
    start: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Return utterances after steps of projected gradient descent, and which of them had a gradient in any step.

    .. math:: x_{k+1} = \Pi\bigl(x_k + \alpha\,\varepsilon\,\operatorname{sign} g_k\bigr)

    with :math:`\Pi` the projection onto what lies within :math:`\varepsilon` of the clean samples and within [-1, 1].
    With `momentum` :math:`\mu`, :math:`g_k` is :math:`\mu g_{k-1}` plus the gradient over its sum of magnitudes.

    Parameters
    ----------
    waveforms, lengths
        The clean utterances.
    radius
        By how much a sample may change, per utterance.
    gradient
        The direction of harm.
    steps
        How many.
    step_size
        Length of one, as a share of `radius`.
    momentum
        Decay of earlier gradients; None for the gradient of each step alone.
    start
        Where to begin, as shares of `radius` in [-1, 1]; None for the clean utterances.

    References
    ----------
    .. [1] A. Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018.
    .. [2] Y. Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018.
    """
    own = exists(lengths, waveforms.shape[1], waveforms.device)
    reach = (radius[:, None] * own).to(waveforms.dtype)
    # A recording that already exceeds the range is left where it is, and not pulled back by the attack.
    lowest = torch.maximum(waveforms - reach, waveforms.clamp(max=RANGE[0]))
    highest = torch.minimum(waveforms + reach, waveforms.clamp(min=RANGE[1]))
    perturbed = waveforms if start is None else (waveforms + reach * start).clamp(lowest, highest)
    followed = torch.zeros_like(waveforms)
    found = torch.zeros(len(waveforms), dtype=torch.bool, device=waveforms.device)
    for _ in range(steps):
        harm = torch.where(own, gradient(perturbed), 0.0)
        found |= (harm != 0).any(dim=1)
        if momentum is not None:
            size = harm.abs().sum(dim=1, keepdim=True)
            followed = momentum * followed + harm / size.clamp(min=torch.finfo(harm.dtype).tiny)
            harm = followed
        perturbed = (perturbed + step_size * reach * harm.sign()).clamp(lowest, highest)
    return perturbed, found


def random_signs(names: Sequence[str], lengths: torch.Tensor, seed: int, samples: int) -> torch.Tensor:
    """Return plus or minus one for every sample, drawn for each utterance by its name, whatever batch it is in."""
    drawn = torch.zeros(len(names), samples)
    for row, name, length in zip(drawn, names, lengths.tolist(), strict=True):
        bits = torch.randint(0, 2, (length,), generator=generator_of(name, seed, "signs"))
        row[:length] = 2.0 * bits - 1.0
    return drawn


def random_start(names: Sequence[str], lengths: torch.Tensor, seed: int, samples: int) -> torch.Tensor:
    """Return a number in [-1, 1] for every sample, drawn for each utterance by its name."""
    drawn = torch.zeros(len(names), samples)
    for row, name, length in zip(drawn, names, lengths.tolist(), strict=True):
        row[:length] = 2.0 * torch.rand(length, generator=generator_of(name, seed, "start")) - 1.0
    return drawn


def generator_of(name: str, seed: int, purpose: str) -> torch.Generator:
    """Return a generator of random numbers of an utterance's own."""
    mark = blake2b(f"{purpose}\n{seed}\n{name}".encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(mark, "little") >> 1)


def realised_snr(waveforms: torch.Tensor, perturbed: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return how far each utterance is above its perturbation in decibels; infinite where nothing was changed."""
    noise = rms(perturbed.double() - waveforms.double(), lengths)
    return 20 * torch.log10(rms(waveforms, lengths) / noise)


def clipped_share(perturbed: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the share of samples that are at the end of what a recording can hold."""
    own = exists(lengths, perturbed.shape[1], perturbed.device)
    at_the_end = (perturbed.abs() >= RANGE[1]) & own
    return at_the_end.sum(dim=1, dtype=torch.float64) / lengths.to(perturbed.device)
