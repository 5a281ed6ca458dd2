"""Which hidden states and models are attacked for what they give away, and why some are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from candor.config.loading import ConfigError
from candor.config.privacy import Privacy
from candor.config.root import Config
from candor.plan.systems import recipes_on, span_name

TUNED = "the recipe tunes the backbone, so that each of its models has layers of its own"
OF_STATES = ("gender", "speaker")


def check_privacy(config: Config) -> None:
    """Refuse trust-ser's attack, and a number of frames, where none are kept that could be read."""
    if any(recipe.reads_frames for recipe in config.recipes.values()):
        return
    if config.privacy.max_frames != Privacy.model_fields["max_frames"].default:
        raise ConfigError(
            f"config: privacy.max_frames is {config.privacy.max_frames}, which does nothing: no recipe has any frames "
            "kept; add one with downstream_model 'cnn' and mode 'frozen', or leave it out"
        )
    if config.privacy.parity is not None:
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


def settings_of_layers(config: Config, of_frames: bool) -> dict[str, Any]:
    """Return how layers are attacked, as `candor.privacy.settings.Settings` takes it: nothing of membership.

    Parameters
    ----------
    config
        The config.
    of_frames
        Whether frames are kept of these layers.
    """
    most = {"max_frames": config.privacy.max_frames} if of_frames else {}
    return {"attributes": _asked(config, OF_STATES), **_how(config), **most}


def settings_of_models(config: Config) -> dict[str, Any]:
    """Return how trained models are attacked, of which no frames are read."""
    return {"attributes": _asked(config, (*OF_STATES, "membership")), **_how(config)}


def _asked(config: Config, attributes: Sequence[str]) -> list[str]:
    """Return those that are asked for, in an order that is always the same."""
    return [name for name in attributes if name in config.privacy.attributes]


def _how(config: Config) -> dict[str, Any]:
    return config.privacy.model_dump(include={"attackers", "num_epochs", "learning_rate", "hidden_size"})
