"""Which hidden states and models are attacked for what they give away, and why some are not."""

from __future__ import annotations

from typing import Any

from candor.config.loading import ConfigError
from candor.config.root import Config
from candor.plan.systems import recipes_on, span_name

TUNED = "the recipe tunes the backbone, so that each of its models has layers of its own"


def check_privacy(config: Config) -> None:
    """Refuse trust-ser's attack where no frames are kept that it could read."""
    if config.privacy.parity is not None and not any(recipe.reads_frames for recipe in config.recipes.values()):
        raise ConfigError(
            "config: privacy.parity is 'trust-ser', which reads frames, but no recipe has any kept; add one with "
            "downstream_model 'cnn' and mode 'frozen'"
        )


def layer_spans(config: Config, dataset: str, backbone: str) -> dict[str, float | None]:
    """Return how much of each clip the layers are of that are attacked, in seconds, by the name of its folder."""
    if not config.privacy.reads_states:
        return {}
    return {
        span_name(recipe.audio_duration): recipe.audio_duration
        for recipe in recipes_on(config, dataset, backbone).values()
        if recipe.mode == "frozen"
    }


def layers_of(config: Config, recipe: str) -> tuple[str, str]:
    """Return the span whose layers a recipe reads, and why none are attacked; one of both is blank."""
    entry = config.recipes[recipe]
    if not config.privacy.reads_states:
        return "", "only membership is asked for"
    return (span_name(entry.audio_duration), "") if entry.mode == "frozen" else ("", TUNED)


def settings_of(config: Config) -> dict[str, Any]:
    """Return how to attack, as `candor.privacy.settings.Settings` takes it."""
    keys = {"attributes", "attackers", "num_epochs", "learning_rate", "hidden_size", "max_frames"}
    return config.privacy.model_dump(include=keys)
