"""What a rule gives a job of the stage to make examples of."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from candor.federated.workloads.prepared import Sources
from candor.store.objects import Store
from candor.tables.audio import AudioIndex
from candor.tables.features import FeatureIndex, FrameIndex
from candor.tables.splits import FoldTable

TABLES = {"table": ("fold", FoldTable), "pooled": ("features", FeatureIndex), "frames": ("frames", FrameIndex)}
"""What a workload takes, by the role of the file that it is read from."""


def sources_of(fold: int, inputs: Any, params: Any, resources: Any) -> Sources:
    """Return what examples can be made of.

    Parameters
    ----------
    fold
        The number of the fold.
    inputs, params, resources
        Those of the rule.
    """
    tables: dict[str, Any] = {
        name: kind.read(inputs.get(role)) for name, (role, kind) in TABLES.items() if inputs.get(role)
    }
    return Sources(
        fold=fold,
        **tables,
        store=Store(params.store),
        noised=_noised(params.backbone, inputs, params.store, resources) if params.backbone else None,
        folder=Path(params.folder) if params.folder else None,
    )


def _noised(backbone: Mapping[str, Any], inputs: Any, store: str, resources: Any) -> Any:
    """Return what makes features of noised audio.

    Parameters
    ----------
    backbone
        Its name, family and options, the seconds that are used of a clip, and its precision.
    inputs, resources
        Those of the rule.
    store
        Where audio is read and features are kept.
    """
    # By name, so that what runs backbones is no part of the code of the many federations that read features.
    microphones = importlib.import_module("candor.federated.microphones")
    weights = inputs.get("weights")
    job = microphones.Job(
        **backbone,
        weights=Path(weights) if weights else None,
        batch_seconds=resources.batch_seconds,
        device=resources.device,
        store=Store(store),
    )
    return partial(microphones.noised_features, job, AudioIndex.read(inputs.audio))
