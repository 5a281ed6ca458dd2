"""How adversarial utterances are made with the gradient of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from candor.attack.names import FGSM, FGSM_TRUST_SER, PGD, PGD_MOMENTUM
from candor.attack.perturb import add, budget, generator_of, pattern, pgd, random_signs, random_start
from candor.models.seeding import seeded


class Outputs(Protocol):
    """A model from waveforms to outputs, differentiable: `candor.models.end_to_end.EndToEnd`."""

    def __call__(self, waveforms: torch.Tensor, lengths: torch.Tensor, numbers: Sequence[int]) -> torch.Tensor:
        """Return the outputs, [utterances, classes]."""
        ...


@dataclass(frozen=True)
class Settings:
    """How to attack.

    Parameters
    ----------
    methods
        Of `fgsm`, `pgd`, `pgd_momentum`; or `fgsm_trust_ser` alone.
    snrs
        Signal-to-noise ratios in decibels.
    steps, step_size, momentum, random_start
        Of the iterative methods; see `candor.attack.perturb.pgd`.
    target
        The emotion that shall be heard instead; None for any but the true one.
    """

    methods: tuple[str, ...] = (FGSM,)
    snrs: tuple[float, ...] = (45.0,)
    steps: int = 10
    step_size: float = 0.25
    momentum: float = 1.0
    random_start: bool = True
    target: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """Return the settings that a rule names."""
        return cls(**{**options, "methods": tuple(options["methods"]), "snrs": tuple(options["snrs"])})


@dataclass(frozen=True)
class Speech:
    """A batch of utterances.

    Parameters
    ----------
    names
        Of each.
    waveforms
        [utterances, samples], zeros behind the end of each, on the device of the models.
    lengths
        Samples of each.
    numbers
        Their numbers in the table of the fold.
    classes
        The class of each that the attack leads away from, or that which it leads to.
    seed
        Seed of the model, and of what is drawn at random for each utterance.
    """

    names: tuple[str, ...]
    waveforms: torch.Tensor
    lengths: torch.Tensor
    numbers: tuple[int, ...]
    classes: torch.Tensor
    seed: int


@dataclass(frozen=True)
class Crafted:
    """A batch of perturbed utterances, and of which the gradient was zero everywhere."""

    snr: float
    waveforms: torch.Tensor
    no_gradient: torch.Tensor


def harm(outputs: torch.Tensor, classes: torch.Tensor, *, targeted: bool) -> torch.Tensor:
    r"""Return what an attack wants to be large, summed over utterances.

    With outputs :math:`z` and true class :math:`y` that is :math:`\log\sum_{j\neq y} e^{z_j} - z_y`. The negative
    log-likelihood of :math:`y` is :math:`\log(1 + \exp(\cdot))` of it, so both rise in the same direction; but this one
    does not lose its gradient to rounding where a model is very sure of itself. Towards a target class it is negated.
    """
    own = outputs.gather(1, classes[:, None])[:, 0]
    others = outputs.scatter(1, classes[:, None], float("-inf")).logsumexp(dim=1)
    return (own - others if targeted else others - own).sum()


def gradient_of(model: Outputs, speech: Speech, *, targeted: bool) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the function from waveforms to the gradient of `harm` with respect to them.

    What is not finite in a gradient shows no direction, and counts as zero.
    """

    def gradient(waveforms: torch.Tensor) -> torch.Tensor:
        heard = waveforms.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            outputs = model(heard, speech.lengths, speech.numbers)
            (found,) = torch.autograd.grad(harm(outputs, speech.classes, targeted=targeted), heard)
        return torch.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)

    return gradient


def craft(method: str, model: Outputs, speech: Speech, settings: Settings) -> Iterator[Crafted]:
    """Yield the perturbed utterances for each signal-to-noise ratio."""
    targeted = settings.target is not None
    if method == FGSM:
        found = gradient_of(model, speech, targeted=targeted)(speech.waveforms)
        yield from along(found, speech, settings, clip=True)
    elif method == FGSM_TRUST_SER:
        yield from along(_training_mode_gradient(model, speech), speech, settings, clip=False)
    elif method in (PGD, PGD_MOMENTUM):
        samples = speech.waveforms.shape[1]
        start = None
        if settings.random_start:
            start = random_start(speech.names, speech.lengths, speech.seed, samples).to(speech.waveforms.device)
        for snr in settings.snrs:
            perturbed, found_any = pgd(
                speech.waveforms,
                speech.lengths,
                budget(speech.waveforms, speech.lengths, snr),
                gradient_of(model, speech, targeted=targeted),
                steps=settings.steps,
                step_size=settings.step_size,
                momentum=settings.momentum if method == PGD_MOMENTUM else None,
                start=start,
            )
            yield Crafted(snr, perturbed, ~found_any)
    else:
        raise ValueError(f"there is no method {method}")


def control(speech: Speech, settings: Settings) -> Iterator[Crafted]:
    """Yield the utterances with random signs in place of those of a gradient, as loud, for each ratio."""
    signs = random_signs(speech.names, speech.lengths, speech.seed, speech.waveforms.shape[1])
    yield from along(signs.to(speech.waveforms.device), speech, settings, clip=True)


def along(direction: torch.Tensor, speech: Speech, settings: Settings, *, clip: bool) -> Iterator[Crafted]:
    """Yield the utterances moved by the signs of a direction, for each signal-to-noise ratio."""
    shape = pattern(direction, speech.lengths)
    nowhere = (shape == 0).all(dim=1)
    for snr in settings.snrs:
        loudness = budget(speech.waveforms, speech.lengths, snr)
        yield Crafted(snr, add(speech.waveforms, shape, loudness, clip=clip), nowhere)


def _training_mode_gradient(model: Outputs, speech: Speech) -> torch.Tensor:
    """Return the gradient that trust-ser takes: with dropout and LayerDrop, of one utterance at a time."""
    found = torch.zeros_like(speech.waveforms)
    for place, length in enumerate(speech.lengths.tolist()):
        alone = Speech(
            speech.names[place : place + 1],
            speech.waveforms[place : place + 1, :length],
            speech.lengths[place : place + 1],
            speech.numbers[place : place + 1],
            speech.classes[place : place + 1],
            speech.seed,
        )
        seed = generator_of(alone.names[0], speech.seed, "dropout").initial_seed()
        with seeded(seed, str(speech.waveforms.device)), model.as_in_training():  # type: ignore[attr-defined]
            found[place, :length] = gradient_of(model, alone, targeted=False)(alone.waveforms)[0]
    return found
