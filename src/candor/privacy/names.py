"""What attributes, sources and verdicts are called in tables; who reads tables needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

GENDER, SPEAKER, VERIFICATION, MEMBERSHIP = "gender", "speaker", "verification", "membership"
"""What is attacked; `speaker` in the config stands for the second and the third."""

UAR, ACCURACY, EER, AUC, TPR = "uar", "accuracy", "eer", "auc", "tpr"

METRIC_OF = {GENDER: UAR, SPEAKER: ACCURACY, VERIFICATION: EER}
"""Of what is read off states; membership has two, `AUC` and `TPR`."""

ALL_LAYERS, EMBEDDING, OUTPUTS = "all layers", "embedding", "outputs"

BACKBONE = "backbone"
"""Its layers, and all of them together, as one of the things that headlines are of."""

HEADLINES = ((GENDER, BACKBONE), (GENDER, EMBEDDING), (VERIFICATION, EMBEDDING), (MEMBERSHIP, OUTPUTS))
"""What stands for a system: an attribute, and what it is read off."""

LINEAR, CNN, THRESHOLD = "linear", "cnn", "threshold"

FRAMES, POOLED, VECTOR = "frames", "pooled states", "embedding"
"""What an attacker reads."""

BEYOND, NOT_BEYOND, TOO_FEW = "beyond control", "not beyond control", "too few speakers"
NOT_ATTACKED = "not attacked"

DEALINGS = 3
"""How often labels are dealt out anew: on speakers who differ in few ways, one dealing may hit or miss by far."""

FALSE_ALARMS = 0.01
"""Share of non-members that may be taken for members where hits are counted."""


def layer_name(layer: int) -> str:
    """Return the name of a layer as a source.

    >>> layer_name(0)
    'layer 0'
    """
    return f"layer {layer}"


def read_off(source: str) -> str:
    """Return what a source is part of.

    >>> read_off("layer 0"), read_off("all layers"), read_off("embedding")
    ('backbone', 'backbone', 'embedding')
    """
    return source if source in (EMBEDDING, OUTPUTS) else BACKBONE


def attacks_on_states(attributes: Sequence[str]) -> tuple[str, ...]:
    """Return the attacks on hidden states and embeddings that are asked for; a speaker is looked for in two ways."""
    speaker = (SPEAKER, VERIFICATION) if SPEAKER in attributes else ()
    return (*((GENDER,) if GENDER in attributes else ()), *speaker)
