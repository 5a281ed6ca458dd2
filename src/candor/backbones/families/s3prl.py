"""Backbones of s3prl: APC, VQ-APC, NPC, Mockingjay, TERA, Audio ALBERT, DeCoAR 2.0 and DistilHuBERT.

s3prl's own UpstreamExpert does the work. Around it: a checkpoint is read without trusting it, a batch is run so that
no clip notices its neighbours, and what s3prl does to gradients in pretraining is undone.
"""

from __future__ import annotations

import bisect
import contextlib
import copy
import importlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from candor.backbones.interface import Backbone, BackboneError, Hidden, by_equal_length, pad
from candor.backbones.pretraining.gru import run_layer
from candor.backbones.s3prl_checkpoints import as_file, find_checkpoint, read_checkpoint

FEATURES_VERSION = 1

SECOND = 16000
"""Samples of the noise that a new backbone is tried on."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upstream:
    """What differs between upstreams.

    `blocks` names the lists of modules whose last members are the last layer. `padded` says that clips of different
    lengths can be run together; the others let padding into the end of a clip, by convolutions (NPC), the Fourier
    transform (TERA and its relatives) or the statistics of a group norm (DistilHuBERT).
    """

    blocks: tuple[str, ...]
    lora_targets: tuple[str, ...] = ()
    padded: bool = False


APC = Upstream(("model.rnn_layers",), padded=True)
TRANSFORMER = Upstream(("transformer.model.encoder.layer",), ("query", "value"))
FAIRSEQ_ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj")
"""The projections of the attention that s3prl has from fairseq."""

UPSTREAMS: Mapping[str, Upstream] = {
    "apc": APC,
    "vq_apc": APC,
    "npc": Upstream(("model.blocks", "model.masked_convs")),
    "mockingjay": TRANSFORMER,
    "tera": TRANSFORMER,
    "audio_albert": TRANSFORMER,
    "decoar2": Upstream(("model.encoder.layers",), ("q_proj", "v_proj"), padded=True),
    "distiller": Upstream(("model.model.encoder.layers",), ("q_proj", "v_proj")),
}


class QuicklyDifferentiated(nn.GRU):
    """A frozen GRU whose derivative with respect to what goes into it is fast on a CPU.

    torch's takes the square of the time for a packed sequence: the derivative of each step fills the whole batch with
    zeros. Unpacked, a step costs the same wherever it is, and what is computed behind the end of a clip is left out.
    """

    def forward(self, packed: Any, state: Any = None) -> Any:
        """Return packed states; where no gradient is wanted, exactly those of torch."""
        wanted = torch.is_grad_enabled() and packed.data.requires_grad and packed.data.device.type == "cpu"
        if not wanted or any(parameter.requires_grad for parameter in self.parameters()):
            return super().forward(packed, state)
        # Without its indices it stays in the order of lengths that it is packed in.
        padded, lengths = pad_packed_sequence(PackedSequence(packed.data, packed.batch_sizes), batch_first=True)
        states = pack_padded_sequence(run_layer(self, padded), lengths, batch_first=True)
        return PackedSequence(states.data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices), None


class S3prlBackbone(Backbone):
    """An upstream of s3prl with the weights of a checkpoint."""

    shortest: int
    """Samples of the shortest clip that it yields anything for."""

    def __init__(self, expert: nn.Module, upstream: Upstream) -> None:
        super().__init__()
        self.expert = expert
        self.lora_targets = upstream.lora_targets
        self._upstream = upstream
        self._frames: list[int] = []
        _undo_scaled_gradients(expert)
        if upstream.padded:
            expert.get_submodule("preprocessor").register_forward_hook(self._note_frames)
        for module in expert.modules():
            if type(module) is nn.GRU:
                module.__class__ = QuicklyDifferentiated
        self.eval()
        self._try_out()

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Return all hidden states in s3prl's order; a clip too short for any has the length 0."""
        self._make_ready(waveforms.device)
        if self._upstream.padded:
            return self._together(waveforms, lengths)
        return by_equal_length(self._alike, waveforms, lengths)

    def last_layer(self) -> nn.Module:
        """Return the last GRU layer, transformer block or pair of convolution blocks."""
        members = [list(self.expert.get_submodule(blocks).children())[-1] for blocks in self._upstream.blocks]
        return members[0] if len(members) == 1 else nn.ModuleList(members)

    def __deepcopy__(self, memo: dict[int, Any]) -> S3prlBackbone:
        # s3prl's hooks go on writing into the list that they were made with: copies share it. And what a weight norm
        # made in the last run is not to be copied with its history; the next run makes it anew.
        expert: Any = self.expert
        memo[id(expert._hook_hiddens)] = expert._hook_hiddens
        for module in expert.modules():
            for name, value in vars(module).items():
                if isinstance(value, torch.Tensor) and not value.is_leaf:
                    setattr(module, name, value.detach())
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    def _together(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Run clips of all lengths at once; the upstream pads them and is told where each of them ends."""
        samples = lengths.tolist()
        heard = [place for place, length in enumerate(samples) if length >= self.shortest]
        clips = [waveforms.new_zeros((self.layers, 0, self.dimensions))] * len(samples)
        if heard:
            # All unbound at once: the derivatives of single slices would each fill the whole batch with zeros.
            states = self._states([waveforms[place, : samples[place]] for place in heard]).unbind(dim=1)
            for own, place, frames in zip(states, heard, self._frames, strict=True):
                clips[place] = own[:, :frames]
        return pad(clips)

    def _alike(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Run clips that all have the same length."""
        if waveforms.shape[1] < self.shortest:
            return waveforms.new_zeros((self.layers, len(waveforms), 0, self.dimensions))
        return self._states(list(waveforms))

    def _states(self, clips: list[torch.Tensor]) -> torch.Tensor:
        """Return what s3prl makes of clips, of shape [layers, batch, frames, dimensions]."""
        self._frames.clear()
        return torch.stack(list(self.expert(clips)["hidden_states"]))

    def _note_frames(self, module: nn.Module, inputs: Any, features: torch.Tensor) -> None:
        """Note how many frames a clip really has: the preprocessor sees clip after clip, unpadded."""
        self._frames.append(len(features))

    def _make_ready(self, device: torch.device) -> None:
        """Have modules take the path on which gradients and adapters work."""
        module: Any
        for module in self.expert.modules():
            if isinstance(module, nn.GRU):
                # cuDNN differentiates no GRU in evaluation mode. These have no dropout, so the mode changes nothing.
                module.training = device.type == "cuda"
            elif hasattr(module, "skip_embed_dim_check"):
                # fairseq's attention takes the weights out of its projections and would pass by an adapter in them;
                # with this mark it calls them.
                projections = (getattr(module, name) for name in FAIRSEQ_ATTENTION)
                module.skip_embed_dim_check = any(type(projection) is not nn.Linear for projection in projections)

    @torch.no_grad()
    def _try_out(self) -> None:
        """Find the layers, the dimensions and the shortest clip by running noise."""
        noise = torch.randn((1, SECOND), generator=torch.Generator().manual_seed(0))
        states = self._states(list(noise))
        if not states.isfinite().all():
            raise ValueError("noise of one second yields hidden states that are not finite")
        self.layers, _, _, self.dimensions = states.shape

        def enough(samples: int) -> bool:
            # s3prl fails in many ways on clips that are too short, or yields nothing or, from a single frame, NaN.
            try:
                states = self._states(list(noise[:, :samples]))
            except (AssertionError, IndexError, RuntimeError, TypeError, ValueError, ZeroDivisionError):
                return False
            return states.shape[2] > 0 and bool(states.isfinite().all())

        self.shortest = bisect.bisect_left(range(SECOND), True, key=enough)


def load(options: Mapping[str, Any], weights: Path | None) -> S3prlBackbone:
    """Return a backbone with the weights of a checkpoint.

    Parameters
    ----------
    options
        `upstream`: the name of the upstream in s3prl.
    weights
        A folder with one checkpoint in the format in which s3prl publishes that upstream.
    """
    upstream = str(options["upstream"])
    if upstream not in UPSTREAMS:
        raise BackboneError(f"upstream: {upstream} is not one of {', '.join(UPSTREAMS)}")
    if weights is None:
        raise BackboneError(f"the upstream {upstream} of s3prl needs a checkpoint")
    file = find_checkpoint(weights, upstream)
    states = read_checkpoint(file, upstream)
    try:
        # The seed keeps what s3prl draws at random, and then does not use, from differing between runs.
        with _quiet(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return S3prlBackbone(_expert(upstream, states), UPSTREAMS[upstream])
    except Exception as error:  # s3prl checks little, so anything may come of a config or of weights that are odd
        told = " ".join(str(error).split())[:200] or type(error).__name__
        reason = f"it has no entry {told}" if isinstance(error, KeyError) else told
        raise BackboneError(f"{file} does not fit the upstream {upstream} of s3prl: {reason}") from error


def _expert(upstream: str, states: Mapping[str, Any]) -> nn.Module:
    """Return s3prl's expert for an upstream, with all its weights from the checkpoint."""
    # `s3prl.hub` imports all upstreams, of which some need a torchaudio that is gone.
    module = importlib.import_module(f"s3prl.upstream.{upstream}.expert")
    hooks = _hooks(states["config"]["model"]["paras"]["num_layers"]) if UPSTREAMS[upstream] is APC else None
    expert: nn.Module = module.UpstreamExpert(as_file(states), **({"hooks": hooks} if hooks else {}))
    part: Any
    for part in expert.modules():
        if hasattr(part, "all_states"):
            part.all_states = None  # the checkpoint itself, kept for no purpose
    _refuse_gaps(expert, states)
    return expert


def _hooks(layers: int) -> list[tuple[Any, ...]]:
    """Return where the hidden states of APC are to be had: s3prl knows only of checkpoints with three layers."""

    def received(inputs: Any, output: Any) -> torch.Tensor:
        states: torch.Tensor = pad_packed_sequence(inputs[0], batch_first=True)[0]
        return states

    def returned(inputs: Any, output: Any) -> torch.Tensor:
        states: torch.Tensor = output[1]
        return states

    return [*((f"self.model.rnn_layers[{place}]", received) for place in range(1, layers)), ("self.model", returned)]


def _refuse_gaps(expert: nn.Module, states: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that lacks weights: s3prl would leave them at random for some upstreams, without a word."""
    if "Transformer" in states:
        names = {name.replace("gamma", "weight").replace("beta", "bias") for name in states["Transformer"]}
        model = expert.get_submodule("transformer.model")
    elif "model" in states:
        names, model = set(states["model"]), expert.get_submodule("model")
    else:
        return
    missing = sorted(set(model.state_dict()) - names)
    if missing:
        raise ValueError(f"it lacks {len(missing)} weights, such as {missing[0]}")


def _undo_scaled_gradients(expert: nn.Module) -> None:
    """Let DistilHuBERT's convolutions pass on the true gradient: pretraining made it smaller, or stopped it."""
    module: Any
    for module in expert.modules():
        if hasattr(module, "feature_grad_mult"):
            module.feature_grad_mult = 1.0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what s3prl prints while it loads off the terminal."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    if printed.getvalue():
        logger.debug("s3prl says: %s", printed.getvalue().strip())
