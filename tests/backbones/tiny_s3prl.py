"""Tiny checkpoints with random weights, in the format in which s3prl's upstreams are published.

The keys around the weights, the blocks of the config and the objects in between (argparse.Namespace, the schedule
inside the optimiser) are those of the real files; the names of the weights come from s3prl's own model classes.
DeCoAR 2.0 has its size in the code and not in the file: its weights have their true shapes, but share a few
kilobytes of storage, so that the file is small all the same.
"""

import argparse
import contextlib
import io
import sys
import types
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch

UPSTREAMS = ("apc", "vq_apc", "npc", "mockingjay", "tera", "audio_albert", "decoar2", "distiller")

KALDI = {"feat_type": "fbank", "feat_dim": 80, "frame_length": 25, "frame_shift": 10, "decode_wav": False, "cmvn": True}


def write_tiny(upstream: str, folder: Path, seed: int = 0) -> Path:
    """Write a checkpoint of `upstream` with random weights into `folder`, which is made; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / {"decoar2": "checkpoint_decoar2.pt"}.get(upstream, f"{upstream}.ckpt")
    with torch.random.fork_rng(devices=[]), _no_noise():
        torch.manual_seed(seed)
        states = _MAKERS[upstream]()
    with _module_of_the_schedule():
        torch.save(states, file)
    return file


def apc_states(num_layers: int = 3, hidden_size: int = 16, vq: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a checkpoint of APC holds, or one of VQ-APC."""
    from s3prl.upstream.apc.apc import APC

    paras = {"num_layers": num_layers, "hidden_size": hidden_size, "dropout": 0.1, "residual": True}
    if vq is not None:
        paras["vq"] = vq
    weights = APC(KALDI["feat_dim"], **paras).state_dict()
    return {"config": {"data": {"audio": dict(KALDI)}, "model": {"paras": paras}}, "model": weights}


def _vq_apc() -> dict[str, Any]:
    return apc_states(vq={"codebook_size": [8], "code_dim": [16], "gumbel_temperature": 0.5})


def _npc() -> dict[str, Any]:
    from s3prl.upstream.npc.npc import NPC

    paras = {
        "kernel_size": 15,
        "mask_size": 5,
        "n_blocks": 4,
        "hidden_size": 16,
        "dropout": 0.1,
        "residual": True,
        "batch_norm": True,
        "activate": "relu",
        "disable_cross_layer": False,
        "vq": {"codebook_size": [8, 8], "code_dim": [8, 8], "gumbel_temperature": 1.0},
    }
    weights = NPC(KALDI["feat_dim"], **paras).state_dict()
    for name in weights:  # as after training: the running statistics of the batch norms are not those of the start
        if name.endswith("running_mean"):
            weights[name] = 0.1 * torch.randn_like(weights[name])
    return {"config": {"data": {"audio": dict(KALDI)}, "model": {"paras": paras}}, "model": weights}


def _transformer(layers: int, share_layer: bool, sequence_length: int, target: str) -> tuple[dict[str, Any], ...]:
    """Return the config of a masked acoustic model, the weights of its encoder and those of its head."""
    from s3prl.upstream.mockingjay.model import TransformerConfig, TransformerModel, TransformerSpecPredictionHead

    encoder = {
        "input_dim": -1,
        "hidden_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.3,  # 0.02 in the real ones, which are trained and so not as close to zero
        "layer_norm_eps": 1e-12,
        "share_layer": share_layer,
        "pre_layer_norm": False,
    }
    feature = {"log": True, "delta": 0, "cmvn": True}
    audio = {
        "target_level": -25,
        "win_ms": 25,
        "hop_ms": 10,
        "n_freq": 201,
        "n_mels": 80,
        "n_mfcc": 13,
        "input": {"feat_type": "mel", "channel": 0, **feature},
        "target": {"feat_type": target, "channel": 1, **feature},
    }
    task = {"loss": "L1", "sequence_length": sequence_length, "position_encoding_size": 16, "mask_proportion": 0.15}
    config = TransformerConfig(encoder)
    weights = TransformerModel(config, 80).state_dict()
    head = TransformerSpecPredictionHead(config, 80 if target == "mel" else 201).state_dict()
    return {"transformer": encoder, "task": task, "audio": audio}, weights, head


def _optimizer() -> dict[str, Any]:
    """Return the state of s3prl's AdamW_with_schedule, which carries an object of a class of s3prl's own."""
    schedule = _Schedule()
    schedule.__dict__.update(warmup=0.07, t_total=1000000.0, warned_for_t_total_at_progress=-1)
    group = {"lr": 2e-4, "betas": (0.9, 0.999), "schedule": schedule, "weight_decay": 0.01, "params": [0]}
    return {"state": {0: {"step": 1000000, "exp_avg": torch.zeros(2, 3)}}, "param_groups": [group]}


def _with_runner(
    upstream: str, config: dict[str, Any], weights: dict[str, Any], head: dict[str, Any]
) -> dict[str, Any]:
    """Return the checkpoint that s3prl's pretraining runner writes today: the model's config is Upstream_Config."""
    runner = {"runner": {"total_steps": 1000000, "fp16": False}, "optimizer": {"name": "AdamW_with_schedule"}}
    return {
        "Optimizer": _optimizer(),
        "Step": 1000000,
        "Args": argparse.Namespace(upstream=upstream, expdir="result/pretrain", seed=1337, device="cuda"),
        "Config": runner,
        "SpecHead": head,
        "Transformer": weights,
        "Upstream_Config": config,
    }


def _tera() -> dict[str, Any]:
    return _with_runner("tera", *_transformer(2, False, 1500, "mel"))


def _audio_albert() -> dict[str, Any]:
    return _with_runner("audio_albert", *_transformer(3, True, 1500, "mel"))


def _mockingjay() -> dict[str, Any]:
    """Return an old checkpoint, whose model's config is Config; 40 frames are what 500 are in the real one."""
    config, weights, head = _transformer(2, False, 40, "linear")
    return {
        "Args": argparse.Namespace(upstream="mockingjay", expdir="result/pretrain", seed=1337),
        "Config": config,
        "Optimizer": _optimizer(),
        "Runner": {"runner": {"total_steps": 500000}},
        "SpecHead": head,
        "Step": 500000,
        "Transformer": weights,
    }


def _distiller() -> dict[str, Any]:
    from s3prl.upstream.distiller.model import DistillerConfig, DistillerModel

    student = {
        "extractor_mode": "default",
        "extractor_conv_feature_layers": "[(8,10,5)] + [(8,3,2)] * 4 + [(8,2,2)] * 2",
        "extractor_dropout": 0.0,
        "feature_grad_mult": 0.1,
        "conv_pos": 128,
        "conv_pos_groups": 16,
        "encoder_layers": 2,
        "encoder_embed_dim": 16,
        "encoder_ffn_embed_dim": 32,
        "encoder_attention_heads": 2,
        "activation_fn": "gelu",
        "layer_norm_first": False,
        "attention_type": "original",
        "dropout": 0.1,
        "attention_dropout": 0.1,
        "activation_dropout": 0.1,
        "encoder_layerdrop": 0.0,
        "final_dim": 16,
        "out_layer_type": "expand-last",
        "n_tasks": 3,
        "task_emb_type": "expand-last",
        "loss_type": "l1",
        "feat_pen_loss": 0.0,
        "cosine_loss": 1.0,
        "pred_layer_id": [4, 8, 12],
        "init_teacher_conv_layers": True,
        "init_teacher_encoder_layers": True,
    }
    model = DistillerModel(DistillerConfig(student))
    for weight in model.encoder.parameters():  # as after training: not as close to zero as at the start
        if weight.dim() > 1:
            weight.data.normal_(std=0.2)
    return {
        "Args": argparse.Namespace(upstream="distiller", seed=1337),
        "Config": {"distiller": student, "teacher": {"model": "hubert_base"}, "task": {"sequence_length": 250000}},
        "Distiller": model.state_dict(),
        "Optimizer": {"state": {}, "param_groups": []},
        "Step": 200000,
    }


def _decoar2() -> dict[str, Any]:
    """Return a checkpoint as fairseq wrote it; what the model for features does not need is in it too."""
    from s3prl.upstream.decoar2 import decoar2

    with mock.patch.dict(decoar2.args, encoder_layers=1):
        small = {name: weight.shape for name, weight in decoar2.Decoar2().state_dict().items()}
    shapes = {
        name.replace("layers.0.", f"layers.{layer}."): shape
        for layer in range(12)
        for name, shape in small.items()
        if layer == 0 or "layers.0." in name
    }
    stock = 0.03 * torch.randn(8192)
    weights = OrderedDict((name, _woven(stock, place, shape)) for place, (name, shape) in enumerate(shapes.items()))
    for name, shape in shapes.items():
        if "layer_norm" in name:
            weights[name] = torch.full((1,), float(name.endswith("weight"))).expand(shape)
        elif name.endswith("weight_g"):
            weights[name] = torch.ones(1).expand(shape)
    weights["mask_emb"] = torch.zeros(1).expand(768)
    weights["final_proj.weight"] = torch.zeros(1).expand(80, 768)
    return {
        "args": argparse.Namespace(arch="decoar2", encoder_layers=12),
        "model": weights,
        "extra_state": {"epoch": 1},
    }


def _woven(stock: torch.Tensor, place: int, shape: torch.Size) -> torch.Tensor:
    """Return a view of `stock` that looks like a random matrix: rows are the stock, each shifted by one."""
    columns = torch.Size(shape[1:]).numel()
    start = (place * 97) % (len(stock) - shape[0] - columns)
    return stock[start:].as_strided((shape[0], *shape[1:]), (1, *torch.empty(shape[1:]).stride()))


_MAKERS = {
    "apc": apc_states,
    "vq_apc": _vq_apc,
    "npc": _npc,
    "mockingjay": _mockingjay,
    "tera": _tera,
    "audio_albert": _audio_albert,
    "decoar2": _decoar2,
    "distiller": _distiller,
}


_Schedule = type("WarmupLinearSchedule", (), {"__module__": "optimizers"})


@contextlib.contextmanager
def _module_of_the_schedule() -> Iterator[None]:
    """Let pickle find the schedule where s3prl had it when it trained: in a module called `optimizers`."""
    before = sys.modules.get("optimizers")
    module = types.ModuleType("optimizers")
    module.WarmupLinearSchedule = _Schedule
    sys.modules["optimizers"] = module
    try:
        yield
    finally:
        del sys.modules["optimizers"]
        if before is not None:
            sys.modules["optimizers"] = before


@contextlib.contextmanager
def _no_noise() -> Iterator[None]:
    """Keep what s3prl prints, and its warnings, to ourselves."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
