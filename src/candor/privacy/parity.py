"""Gender as trust-ser attacks it: fold 1, a network on the learned sum of all layers, all frames, nothing standardised.

References
----------
.. [1] T. Feng, R. Hebbar, S. Narayanan, "TrustSER: On the trustworthiness of fine-tuning pre-trained speech embeddings
   for speech emotion recognition", arXiv:2305.11229.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from candor.features.reading import Frames
from candor.models.inputs import FrameInputs
from candor.models.networks import FrameNetwork
from candor.models.outputs import outputs_of
from candor.models.recipe import Recipe
from candor.models.tasks import Emotion, uar
from candor.models.training import Part, train
from candor.privacy.people import GENDERS
from candor.runtime import Explained
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd

RECIPE = Recipe(
    "cnn", 5e-4, 10, 64, weight_decay=1e-4, clip_norm=0.0, hidden_size=256, conv_layers=2, num_layers=2, dropout=0.2
)  # fmt: skip
"""What is written into its program; its keys have no effect there."""

SEED = 8
"""Its seed of fold 1."""

Scores = dict[str, dict[str, float]]


class ParityError(Explained, ValueError):
    """Gender cannot be attacked as trust-ser does."""


def as_trust_ser(fold: pd.DataFrame, frame_index: pd.DataFrame, store: Store, device: str = "cpu") -> Scores:
    """Return UAR and accuracy of gender on the test speakers of fold 1, in per cent, in trust-ser's format.

    Male is 0 and female 1, the loss is not weighted, the epoch is the one with the best UAR on dev. Utterances
    without a known gender are left out.

    Parameters
    ----------
    fold
        The table of fold 1.
    frame_index
        The index of frames.
    store
        Where these are.
    device
        What to run on.
    """
    fold = fold[fold["gender"].isin(GENDERS)]
    labels = torch.tensor([GENDERS.index(gender) for gender in fold["gender"]], dtype=torch.long)
    numbers = {part: np.flatnonzero((fold["part"] == part).to_numpy()).tolist() for part in ("train", "dev", "test")}
    for part, own in numbers.items():
        if len(set(labels[own].tolist())) < len(GENDERS):
            raise ParityError(
                f"config: privacy.parity is 'trust-ser', but not both genders are in {part} of fold 1; leave it out"
            )
    frames = Frames(frame_index, list(fold["utterance"]), store)
    inputs = FrameInputs(frames)
    parts = {part: Part(own, labels[own]) for part, own in numbers.items()}
    trained = train(
        lambda: FrameNetwork(frames.layers, frames.dimensions, len(GENDERS), RECIPE),
        inputs,
        parts["train"],
        parts["dev"],
        Emotion(GENDERS),
        RECIPE,
        SEED,
        device=device,
    )
    said = outputs_of(trained.network, inputs, parts["test"].numbers, device).argmax(dim=1)
    true = parts["test"].targets
    scores = {
        "uar": 100 * uar(true, said, len(GENDERS)),
        "acc": 100 * float((said == true).double().mean()),
    }
    return {"1": scores, "average": scores, "std": dict.fromkeys(scores, 0.0)}
