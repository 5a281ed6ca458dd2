"""Backbones of s3prl against s3prl itself: its UpstreamExpert, called directly on each clip alone."""

import argparse
import contextlib
import copy
import importlib
import io
import math
import os
import warnings
from pathlib import Path

import peft
import pytest
import torch

from backbones.tiny_s3prl import UPSTREAMS, apc_states, write_tiny
from candor.backbones.families import s3prl
from candor.backbones.interface import BackboneError
from candor.backbones.s3prl_checkpoints import HARMLESS
from candor.config.backbones import S3prl

ATTENTIVE = ("mockingjay", "tera", "audio_albert", "decoar2", "distiller")
LIGHT = tuple(upstream for upstream in UPSTREAMS if upstream != "decoar2")  # whose size is fixed, at 85 million weights

Clips = list[torch.Tensor]


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Tiny models gain nothing from more, and lose much where other tests run beside them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clips() -> Clips:
    generator = torch.Generator().manual_seed(1)
    return [0.1 * torch.randn(length, generator=generator) for length in (4700, 8000, 6173, 8000, 2501)]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return {upstream: write_tiny(upstream, folder / upstream) for upstream in UPSTREAMS}


@pytest.fixture(scope="module", params=UPSTREAMS)
def upstream(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def backbone(upstream, files) -> s3prl.S3prlBackbone:
    return load(files[upstream], upstream)


def load(file: Path, upstream: str) -> s3prl.S3prlBackbone:
    return s3prl.load({"upstream": upstream}, file.parent)


def batch(clips: Clips) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), torch.tensor([len(clip) for clip in clips])


def single(clip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return clip[None], torch.tensor([len(clip)])


def directly(file: Path, upstream: str) -> torch.nn.Module:
    """Return s3prl's own expert, loaded as s3prl loads it; the file is ours, so that may be done."""
    module = importlib.import_module(f"s3prl.upstream.{upstream}.expert")
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(torch.serialization.safe_globals([argparse.Namespace]))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        return module.UpstreamExpert(str(file)).eval()


def test_the_config_offers_these_upstreams_and_no_others():
    assert set(S3prl.model_fields["upstream"].annotation.__args__) == set(UPSTREAMS) == set(s3prl.UPSTREAMS)


def test_hidden_states_are_those_of_s3prl(upstream, backbone, files, clips):
    expert = directly(files[upstream], upstream)
    with torch.no_grad():
        ours = backbone(*batch(clips))
        assert ours.states.shape[:2] == (backbone.layers, len(clips))
        assert ours.states.shape[3] == backbone.dimensions
        for place, clip in enumerate(clips):
            theirs = torch.cat(list(expert([clip])["hidden_states"]))
            assert ours.lengths[place] == theirs.shape[1]
            mine = ours.states[:, place, : theirs.shape[1]]
            torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)


def test_no_clip_depends_on_its_neighbours(backbone, clips):
    with torch.no_grad():
        together = backbone(*batch(clips))
        for place, clip in enumerate(clips):
            alone = backbone(*single(clip))
            assert alone.lengths[0] == together.lengths[place]
            states = together.states[:, place, : alone.lengths[0]]
            torch.testing.assert_close(states, alone.states[:, 0], atol=1e-4, rtol=0)


def test_what_lies_behind_a_clip_changes_nothing(backbone, clips):
    waveforms, lengths = batch(clips)
    spoilt = waveforms.clone()
    for row, length in enumerate(lengths):
        spoilt[row, length:] = 100.0
    spoilt = torch.nn.functional.pad(spoilt, (0, 777), value=math.nan)
    with torch.no_grad():
        clean, dirty = backbone(waveforms, lengths), backbone(spoilt, lengths)
    assert torch.equal(clean.lengths, dirty.lengths)
    assert torch.equal(clean.states, dirty.states)


def test_a_clip_too_short_for_a_frame_has_none_and_spoils_no_batch(backbone, clips):
    shortest = torch.ones(backbone.shortest).uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        hidden = backbone(*batch([clips[0], shortest[:-1], shortest, clips[0][:5]]))
        expected = backbone(*single(clips[0]))
        none = backbone(*batch([shortest[:-1], clips[0][:5]]))
    assert hidden.lengths[[1, 3]].tolist() == [0, 0]
    assert hidden.lengths[2] >= 1
    assert hidden.states.isfinite().all()
    torch.testing.assert_close(hidden.states[:, 0], expected.states[:, 0], atol=1e-4, rtol=0)
    assert none.lengths.tolist() == [0, 0]
    assert none.states.shape == (backbone.layers, 2, 0, backbone.dimensions)


def test_the_same_clips_yield_the_same_bits_whatever_the_seed_and_the_mode(backbone, clips):
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        results.append(backbone.train()(*batch(clips)).states)
    assert torch.equal(*results)
    assert not any(module.training for module in backbone.modules())


def test_the_gradient_that_reaches_the_waveform_is_that_of_the_hidden_states(backbone, clips):
    clip = clips[2].clone().requires_grad_()
    weights = torch.randn((backbone.layers, 1, 1, backbone.dimensions), generator=torch.Generator().manual_seed(2))

    def projection(waveform: torch.Tensor) -> torch.Tensor:
        return (backbone(*single(waveform)).states * weights).mean(dim=2).sum()

    projection(clip).backward()
    assert clip.grad.isfinite().all()
    slope, step = clip.grad.norm(), 1e-3 * clip.grad / clip.grad.norm()
    assert slope > 0
    with torch.no_grad():
        measured = (projection(clip + step) - projection(clip - step)) / 2e-3
    torch.testing.assert_close(measured, slope, rtol=0.02, atol=0)


def test_the_gradient_of_a_batch_is_that_of_its_clips(backbone, clips):
    waveforms, lengths = batch(clips[:3])
    waveforms.requires_grad_()
    backbone(waveforms, lengths).states.square().mean(dim=(0, 3)).sum().backward()
    assert waveforms.grad.isfinite().all()
    for row, length in enumerate(lengths):
        assert waveforms.grad[row, :length].abs().sum() > 0
        assert waveforms.grad[row, length:].abs().sum() == 0


def test_the_gradient_of_apc_in_double_precision(files, clips):
    backbone = load(files["apc"], "apc").double()
    clip = clips[4].double()
    probe = torch.linspace(0, len(clip) - 1, 40).long()

    def projection(values: torch.Tensor) -> torch.Tensor:
        states = backbone(*single(clip.index_copy(0, probe, values))).states
        return (states * torch.linspace(-1, 1, states.numel()).reshape(states.shape)).sum()

    assert torch.autograd.gradcheck(projection, clip[probe].requires_grad_(), eps=1e-6, atol=1e-5, rtol=1e-4)


def test_all_weights_come_from_the_checkpoint_and_are_parameters(upstream, backbone, files):
    with torch.serialization.safe_globals(HARMLESS):
        states = torch.load(files[upstream], weights_only=True)
    weights = states.get("Transformer", states.get("Distiller", states.get("model")))
    parameters = dict(backbone.named_parameters())
    assert parameters
    for name, parameter in parameters.items():
        own = next(key for key in weights if name.endswith(f"model.{key}"))
        assert torch.equal(parameter.detach(), weights[own]), name


def test_the_last_layer_is_one_that_the_last_hidden_states_depend_on(upstream, backbone, clips):
    kind = type(backbone.last_layer()).__name__
    assert kind == {
        **dict.fromkeys(("apc", "vq_apc"), "QuicklyDifferentiated"),
        **dict.fromkeys(("mockingjay", "tera", "audio_albert"), "TransformerLayer"),
        **dict.fromkeys(("decoar2", "distiller"), "TransformerSentenceEncoderLayer"),
        "npc": "ModuleList",
    }.get(upstream)
    layer = list(backbone.last_layer().parameters())
    assert 0 < len(layer) < len(list(backbone.parameters()))
    gradients = torch.autograd.grad(backbone(*single(clips[0])).states[-1].square().sum(), layer)
    assert sum(gradient.abs().sum() for gradient in gradients) > 0


@pytest.mark.parametrize("upstream", LIGHT)
def test_a_copy_is_a_backbone_of_its_own(upstream, files, clips):
    original = load(files[upstream], upstream)
    expected = original(*batch(clips)).states
    copied = copy.deepcopy(original)
    assert torch.equal(copied(*batch(clips)).states, expected)
    with torch.no_grad():
        for parameter in copied.last_layer().parameters():
            parameter.mul_(2)
    assert not torch.equal(copied(*batch(clips)).states, expected)
    assert torch.equal(original(*batch(clips)).states, expected)


@pytest.mark.parametrize("upstream", ATTENTIVE)
def test_lora_in_its_targets_takes_part(upstream, files, clips):
    backbone = load(files[upstream], upstream)
    with torch.no_grad():
        plain = backbone(*batch(clips[:2])).states
    settings = peft.LoraConfig(r=2, target_modules=list(backbone.lora_targets))
    peft.inject_adapter_in_model(settings, backbone)
    adapted = backbone(*batch(clips[:2])).states  # an adapter begins as nothing
    torch.testing.assert_close(adapted, plain, atol=1e-4, rtol=0)
    adapted.square().sum().backward()
    gains = {name: weight for name, weight in backbone.named_parameters() if "lora_B" in name}
    for target in backbone.lora_targets:
        touched = [weight for name, weight in gains.items() if f".{target}.lora_B" in name]
        assert touched
        assert all(weight.grad.abs().sum() > 0 for weight in touched)


def test_upstreams_without_attention_offer_lora_nothing(files):
    for upstream in set(UPSTREAMS) - set(ATTENTIVE):
        assert load(files[upstream], upstream).lora_targets == ()


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_apc_of_any_depth_yields_all_its_layers(layers, tmp_path, clips):
    torch.manual_seed(0)
    states = apc_states(num_layers=5)
    cut = copy.deepcopy(states)
    cut["config"]["model"]["paras"]["num_layers"] = layers
    cut["model"] = {k: v for k, v in cut["model"].items() if k[0] == "p" or int(k.split(".")[1]) < layers}
    three = copy.deepcopy(states)
    three["config"]["model"]["paras"]["num_layers"] = 3
    three["model"] = {k: v for k, v in three["model"].items() if k[0] == "p" or int(k.split(".")[1]) < 3}
    (tmp_path / "cut").mkdir()
    torch.save(cut, tmp_path / "cut" / "apc.ckpt")
    torch.save(three, tmp_path / "three.ckpt")
    with torch.no_grad():
        ours = load(tmp_path / "cut" / "apc.ckpt", "apc")(*single(clips[0])).states
        theirs = torch.stack(directly(tmp_path / "three.ckpt", "apc")([clips[0]])["hidden_states"])
    assert len(ours) == layers
    common = min(layers, 3)
    torch.testing.assert_close(ours[:common], theirs[:common], atol=1e-5, rtol=0)


@pytest.mark.parametrize("upstream", LIGHT)
def test_loading_prints_nothing_and_leaves_the_random_state_alone(upstream, files, capfd):
    before = torch.get_rng_state()
    first, second = load(files[upstream], upstream), load(files[upstream], upstream)
    assert torch.equal(torch.get_rng_state(), before)
    assert capfd.readouterr() == ("", "")
    for (name, one), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("upstream", ["apc", "tera", "decoar2", "distiller"])
def test_a_checkpoint_that_would_run_code_is_refused(upstream, zipped, tmp_path):
    file = write_tiny(upstream, tmp_path / "weights")
    with torch.serialization.safe_globals(HARMLESS):
        states = torch.load(file, weights_only=True)
    states.pop("Optimizer", None)
    states["Args"] = argparse.Namespace(trap=Malicious(tmp_path / "harm"))
    torch.save(states, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(BackboneError, match=r"mkdir.* could do harm") as caught:
        load(file, upstream)
    assert str(file) in str(caught.value)
    assert upstream in str(caught.value)
    assert not (tmp_path / "harm").exists()


def test_strings_that_s3prl_would_evaluate_are_refused(tmp_path):
    harm = f"__import__('os').mkdir({str(tmp_path / 'harm')!r})"
    file = write_tiny("distiller", tmp_path / "distiller")
    states = torch.load(file, weights_only=False)
    for convolutions in (harm, f"[(8,10,5)] + [{harm}]", "[(8,10,5)] * 9 ** 9 ** 9", "[(8,10,5)] * 99999999"):
        states["Config"]["distiller"]["extractor_conv_feature_layers"] = convolutions
        torch.save(states, file)
        with pytest.raises(BackboneError, match="not a list of numbers"):
            load(file, "distiller")
    file = write_tiny("mockingjay", tmp_path / "mockingjay")
    with torch.serialization.safe_globals(HARMLESS):
        states = torch.load(file, weights_only=True)
    states["Config"]["audio"]["kaldi"] = {"feat_type": f"fbank or {harm}", f"fbank or {harm}": {}}
    states.pop("Optimizer")
    torch.save(states, file)
    with pytest.raises(BackboneError, match="not fbank, mfcc or spectrogram"):
        load(file, "mockingjay")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html><head><title>404</title></head></html>", "web page"),
        (b"", "empty file"),
        (b"Invalid username or password.", "damaged or incomplete"),
    ],
)
def test_what_came_in_place_of_a_checkpoint_is_named(upstream, content, reason, tmp_path):
    file = tmp_path / "weights.ckpt"
    file.write_bytes(content)
    with pytest.raises(BackboneError, match=reason) as caught:
        load(file, upstream)
    assert str(file) in str(caught.value)
    assert upstream in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_truncated_checkpoint_is_refused(upstream, files, tmp_path):
    content = files[upstream].read_bytes()
    for share in (0.1, 0.6, 0.99):
        (tmp_path / "weights.ckpt").write_bytes(content[: int(share * len(content))])
        with pytest.raises(BackboneError, match="damaged or incomplete"):
            load(tmp_path / "weights.ckpt", upstream)


def test_a_checkpoint_of_another_upstream_is_refused(files):
    one_format = {"mockingjay", "tera", "audio_albert"}
    for wanted in UPSTREAMS:
        for given in UPSTREAMS:
            if given != wanted and not {given, wanted} <= one_format:
                with pytest.raises(BackboneError, match=f"no checkpoint of {wanted}: it is a checkpoint of .*{given}"):
                    load(files[given], wanted)


@pytest.mark.parametrize(
    "states", [[1, 2], {}, {"model": {}}, {"model": 3, "config": 4}, {"state_dict": {"a": torch.zeros(2)}}]
)
def test_a_checkpoint_of_something_else_is_refused(states, tmp_path):
    torch.save(states, tmp_path / "weights.pt")
    for upstream in UPSTREAMS:
        with pytest.raises(BackboneError, match="not one that s3prl writes"):
            load(tmp_path / "weights.pt", upstream)


@pytest.mark.parametrize(
    ("upstream", "entry", "name"),
    [
        ("apc", "model", "rnn_layers.1.weight_hh_l0"),
        ("npc", "model", "blocks.2.linear.bias"),
        ("tera", "Transformer", "encoder.layer.1.attention.self.key.weight"),
        ("decoar2", "model", "encoder.layers.7.fc1.weight"),
        ("distiller", "Distiller", "encoder.layers.1.fc1.weight"),
    ],
)
def test_a_checkpoint_that_lacks_weights_is_refused(upstream, entry, name, files, tmp_path):
    with torch.serialization.safe_globals(HARMLESS):
        states = torch.load(files[upstream], weights_only=True)
    del states[entry][name]
    states.pop("Optimizer", None)
    torch.save(states, tmp_path / "weights.ckpt")
    with pytest.raises(BackboneError, match=f"does not fit the upstream {upstream}"):
        load(tmp_path / "weights.ckpt", upstream)


def test_an_odd_config_is_refused(tmp_path):
    states = apc_states()
    del states["config"]["model"]["paras"]["num_layers"]
    torch.save(states, tmp_path / "apc.ckpt")
    with pytest.raises(BackboneError, match="has no entry 'num_layers'"):
        load(tmp_path / "apc.ckpt", "apc")
    states["config"] = {"data": {}}
    torch.save(states, tmp_path / "apc.ckpt")
    with pytest.raises(BackboneError, match="config is not one of s3prl's"):
        load(tmp_path / "apc.ckpt", "apc")


def test_a_folder_holds_one_checkpoint_and_notes_beside_it(files, tmp_path):
    folder = tmp_path / "weights"
    for missing in (folder, tmp_path):
        with pytest.raises(BackboneError, match=f"{missing} must hold exactly one checkpoint .* apc; found: none"):
            s3prl.load({"upstream": "apc"}, missing)
    folder.mkdir()
    for name in ("apc.ckpt", "source.json", "history.tsv", ".lock"):
        (folder / name).write_bytes(files["apc"].read_bytes())
    assert s3prl.load({"upstream": "apc"}, folder).layers == 3
    (folder / "older.ckpt").write_bytes(b"")
    with pytest.raises(BackboneError, match=r"found: apc\.ckpt, older\.ckpt"):
        s3prl.load({"upstream": "apc"}, folder)


def test_features_are_those_of_this_version(tmp_path):
    """Whoever changes these values raises FEATURES_VERSION too: stored features are known by it."""
    states = apc_states(hidden_size=4)
    for place, (name, weight) in enumerate(states["model"].items()):
        values = 0.2 * torch.sin(0.7 * torch.arange(weight.numel(), dtype=torch.float64) ** 2 + place)
        states["model"][name] = values.reshape(weight.shape).float()
    torch.save(states, tmp_path / "apc.ckpt")
    count = torch.arange(4000, dtype=torch.float64)
    sweep = 0.3 * torch.sin(2 * math.pi * (0.0125 + count / 32000) * count) * torch.sin(count / 800)
    clip = (sweep + 0.02 * torch.sin(0.9 * count**2)).float()
    with torch.no_grad():
        hidden = load(tmp_path / "apc.ckpt", "apc")(*single(clip))
    assert s3prl.FEATURES_VERSION == 1
    assert hidden.lengths.tolist() == [23]
    torch.testing.assert_close(hidden.states[:, 0, [2, 20]], torch.tensor(GOLDEN), atol=1e-4, rtol=0)


GOLDEN = [
    [[-0.86768, 0.39555, 0.47818, -0.63661], [0.63952, 0.40853, 0.21402, -0.75477]],
    [[-0.62493, 0.41756, 0.75682, -0.54423], [0.63295, 0.50693, 0.36661, -0.48796]],
    [[-0.7938, 0.3606, 0.36771, -0.49686], [0.49299, 0.18637, 0.03973, -0.49523]],
]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_gpu_yields_the_same_and_gradients_too(upstream, files, clips):
    backbone = load(files[upstream], upstream)
    waveforms, lengths = batch(clips)
    expected = backbone(waveforms, lengths)
    backbone.to("cuda")
    waveforms = waveforms.to("cuda").requires_grad_()
    hidden = backbone(waveforms, lengths)
    assert torch.equal(hidden.lengths, expected.lengths)
    torch.testing.assert_close(hidden.states.cpu(), expected.states, atol=5e-3, rtol=5e-3)
    hidden.states.square().sum().backward()
    assert waveforms.grad.isfinite().all()
