"""Hold what a card says about ways to split against the clips of its corpus."""

from collections.abc import Iterable
from typing import get_args

import pytest

from candor.config.loading import ConfigError, load
from candor.corpora import registry
from candor.corpora.reader import Clip, Scheme
from candor.plan.datasets import resolve
from candor.splits.folds import PARTS, SplitError
from candor.splits.schemes import make_folds
from splits.manifests import manifest

COLUMNS = ("utterance", "speaker", "gender", "session", "text", "split", "label")


def assert_splits_as_its_card_says(corpus: str, clips: Iterable[Clip]) -> None:
    """All schemes of the card make the planned number of folds, and no other scheme is offered or would work."""
    card = registry.load(corpus).CARD
    kept = [clip for clip in clips if clip.label in card.classes]
    utterances = manifest({column: getattr(clip, column) for column in COLUMNS} for clip in kept)
    for scheme in get_args(Scheme):
        config = load({"datasets": {"mine": {"corpus": corpus, "splits": {"scheme": scheme}}}})
        if scheme in card.schemes:
            planned = resolve(config)["mine"]
            if planned.splits.problem:  # a number that no card can tell
                assert f"splits.folds is empty; with {scheme} set it to" in planned.splits.problem
                continue
            made = make_folds(utterances, **planned.splits.options)
            assert len(made) == planned.folds
            assert all(set(fold.parts.values()) == set(PARTS) for fold in made)
        else:
            with pytest.raises(ConfigError, match=f"mine.splits.scheme is '{scheme}', which .* cannot have; set "):
                resolve(config)
            folds = 1 if scheme == "official" else 3
            options = {"text_folds": 3, "seed": 0, "dyads": card.dyads, "parity": None}
            with pytest.raises(SplitError):
                make_folds(utterances, scheme=scheme, folds=folds, **options)
