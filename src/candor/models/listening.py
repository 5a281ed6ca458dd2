"""The backbone that trained models read: its own files and no others, tuned as each of them has it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from candor.audio.conversion import RATE
from candor.backbones.interface import Backbone, Hidden, load_family
from candor.backbones.weights import WeightsError, sha256_of
from candor.features.clips import FeatureError
from candor.features.extraction import Way, run_on_device, run_waveforms
from candor.models.ensemble import Ensemble
from candor.models.loading import Model, ModelError
from candor.models.networks import AudioNetwork, FrameNetwork
from candor.models.recipe import Recipe
from candor.models.training import trained_tensors
from candor.models.tuning import make_trainable
from candor.tables.backbones import Weights

logger = logging.getLogger(__name__)

Tuning = tuple[str, int, int]
"""Mode, rank and scale of LoRA: models that share them have tensors of the same names."""


class Listener:
    """Runs the backbone of an ensemble on waveforms.

    Parameters
    ----------
    ensemble
        Whose backbone it is.
    weights
        The folder with its files; None for where the models' project keeps them.
    device
        What to run on.
    """

    def __init__(self, ensemble: Ensemble, weights: Path | None = None, device: str = "cpu") -> None:
        self.ensemble, self.device = ensemble, device
        self._folder = checked_weights(ensemble, weights)
        self._way = Way(precision=_precision(ensemble, device), device=device)
        self._loaded: dict[Tuning | None, Backbone] = {}
        self._tuned_as: dict[Tuning, Model] = {}

    @property
    def precision(self) -> str:
        """Return the precision that the backbone is run in: the training's, but float32 on a CPU."""
        return self._way.precision

    def states(self, model: Model, waveform: torch.Tensor, name: str) -> torch.Tensor:
        """Return the hidden states that a model reads, [layers, frames, dimensions], in float32 and on the CPU.

        Parameters
        ----------
        model
            One of the ensemble.
        waveform
            Samples at 16 kHz.
        name
            Whose they are, for errors.
        """
        try:
            hidden = run_waveforms(self.backbone_of(model), [waveform], self._way)
        except (torch.OutOfMemoryError, MemoryError):
            raise FeatureError(
                f"{name}: {len(waveform) / RATE:.1f} s do not fit into the memory of {self.device}"
            ) from None
        if int(hidden.lengths[0]) < 1:
            raise FeatureError(f"{name}: too short for a single frame: {len(waveform) / RATE:.3f} s")
        return hidden.states[:, 0, : int(hidden.lengths[0])]

    def hidden(self, model: Model, waveforms: Sequence[torch.Tensor]) -> Hidden:
        """Return the hidden states that a model reads of several waveforms [samples], on the device."""
        return run_on_device(self.backbone_of(model), waveforms, self._way)

    def backbone_of(self, model: Model) -> Backbone:
        """Return the backbone, as this model has tuned it; the next call may tune it otherwise."""
        tuning = _tuning(model)
        if tuning not in self._loaded:
            self._loaded[tuning] = self._load(model)
        if tuning is not None and self._tuned_as.get(tuning) is not model:
            self._loaded[tuning].load_state_dict(model.tuned, strict=False)
            self._tuned_as[tuning] = model
        return self._loaded[tuning]

    def _load(self, model: Model) -> Backbone:
        source = self.ensemble.source
        family = load_family(source["family"])
        if self._folder is None:
            backbone = family.load(source["options"], None)
        else:
            # Only what was there in training is shown, lest another file beside it change how the backbone is run.
            with tempfile.TemporaryDirectory(prefix="candor-weights-") as shown:
                for file in source["weights"]:
                    Path(shown, file).symlink_to((self._folder / file).absolute())
                backbone = family.load(source["options"], Path(shown))
        if _tuning(model) is not None:
            make_trainable(backbone, Recipe.of(model.about.recipe), self.ensemble.backbone)
            for tuned in self.ensemble.models:
                if _tuning(tuned) == _tuning(model):
                    _refuse_other_tensors(backbone, tuned)
        return backbone.to(self.device)


def checked_weights(ensemble: Ensemble, given: Path | None) -> Path | None:
    """Return the folder with a backbone's files, the very ones that the models were trained with; None if it has none.

    Parameters
    ----------
    ensemble
        The models, which know the hashes of the files.
    given
        The folder; None for where their project keeps it.
    """
    expected = ensemble.source["weights"]
    if not expected:
        if given is not None:
            raise WeightsError(f"{ensemble.backbone} is not loaded from files; leave --weights out")
        return None
    folder = given or ensemble.own_weights()
    if given is not None and (given / Weights.FOLDER).is_dir():
        folder = given / Weights.FOLDER
    for file in expected:
        if not (folder / file).is_file():
            advice = "copy it there" if given else "name the folder that holds it with --weights"
            raise WeightsError(f"{folder / file}, a file of the backbone {ensemble.backbone}, is missing; {advice}")
    for file, sha256 in expected.items():
        digest = sha256_of(folder / file)
        if digest != sha256:
            raise WeightsError(
                f"{folder / file} is not the file that the models were trained with: its SHA-256 is {digest} "
                f"instead of {sha256}"
            )
    return folder


def _precision(ensemble: Ensemble, device: str) -> str:
    precision = str(ensemble.source["precision"])
    if precision != "float32" and device == "cpu":
        logger.warning(
            "The models were trained on hidden states in %s, which are computed in float32 here, without a GPU: "
            "probabilities may deviate slightly",
            precision,
        )
        return "float32"
    return precision


def _tuning(model: Model) -> Tuning | None:
    recipe = Recipe.of(model.about.recipe)
    return (recipe.mode, recipe.lora_rank, recipe.lora_alpha) if model.about.kind == "audio" else None


def _refuse_other_tensors(backbone: Backbone, model: Model) -> None:
    assert isinstance(model.head, FrameNetwork)  # what is trained on audio reads frames
    inside = "backbone."
    needed = {
        name.removeprefix(inside): tensor.shape
        for name, tensor in trained_tensors(AudioNetwork(backbone, model.head)).items()
        if name.startswith(inside)
    }
    found = {name: tensor.shape for name, tensor in model.tuned.items()}
    if found != needed:
        odd = sorted(name for name in found.keys() | needed.keys() if found.get(name) != needed.get(name))
        run = model.about.run
        raise ModelError(
            f"the model of fold {run['fold']} of {run['recipe']} does not fit the backbone {run['backbone']}: {odd[0]} "
            f"is {_shape(found.get(odd[0]))} in the model and {_shape(needed.get(odd[0]))} in the backbone"
        )


def _shape(shape: torch.Size | None) -> str:
    return "missing" if shape is None else f"of shape {list(shape)}"
