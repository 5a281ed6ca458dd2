"""Which hidden states are made, and for whom: recipes that are trained on them, federations whose clients hold them."""

from __future__ import annotations

from candor.config.root import Config
from candor.plan import systems
from candor.plan.federated import Run, Runs
from candor.plan.systems import span_name


def spans(config: Config, runs: Runs, dataset: str, backbone: str) -> dict[str, float | None]:
    """Return how much of each clip is run, in seconds, by the name of the folder for that."""
    federated = {run.span: run.settings.audio_duration for run in _runs_on(runs, dataset, backbone)}
    return systems.spans(config, dataset, backbone) | federated


def read_by(config: Config, runs: Runs, dataset: str, backbone: str, span: str) -> tuple[str, ...]:
    """Return the stages that read pooled hidden states of this span."""
    trained = span in systems.spans(config, dataset, backbone)
    federated = any(run.span == span for run in _runs_on(runs, dataset, backbone))
    return _stages(trained, federated)


def frames_read_by(config: Config, runs: Runs, dataset: str, backbone: str, span: str) -> tuple[str, ...]:
    """Return the stages that read the hidden states of every frame; where there are none, no frames are kept."""
    trained = systems.reads_frames(config, dataset, backbone, span)
    federated = any(run.span == span and run.reads_frames for run in _runs_on(runs, dataset, backbone))
    return _stages(trained, federated)


def spans_by_name(config: Config) -> dict[str, float | None]:
    """Return all spans that any recipe or federation uses, by name."""
    durations = [recipe.audio_duration for recipe in config.recipes.values()]
    durations += [entry.audio_duration for entry in config.federated.values() if entry.workload == "emotion"]
    return {span_name(duration): duration for duration in durations}


def _runs_on(runs: Runs, dataset: str, backbone: str) -> list[Run]:
    return [run for run in runs.get(dataset, {}).values() if run.backbone == backbone]


def _stages(trained: bool, federated: bool) -> tuple[str, ...]:
    return (*(["models"] if trained else []), *(["federated"] if federated else []))
