"""Operations and parameters of whole systems are those that a hand counts."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from backbones import tiny_s3prl, tiny_transformers
from candor.backbones.families import fbank, opensmile, s3prl, transformers
from candor.cost.counting import operations, parameters
from candor.cost.lengths import COUNTED, counted_lengths, mean_over
from candor.cost.system import SIX_SECONDS, Counted, load_system
from candor.tables.cost import CostLengths, SystemCost
from cost.systems import CLASSES, Handmade, of_cnn, of_handmade, system_of
from models.test_predicting import RUNS, Lab, recordings  # noqa: F401 - `recordings` is a fixture

SAMPLES = 8000


@pytest.fixture(scope="module")
def lab(tmp_path_factory, recordings) -> Lab:  # noqa: F811
    return Lab(tmp_path_factory.mktemp("lab"), recordings)


def sizes_of(module: nn.Module, *but: str) -> int:
    return sum(own.numel() for name, own in module.named_parameters() if not any(part in name for part in but))


@pytest.mark.parametrize("samples", [400, 5000, SAMPLES])
def test_a_system_of_a_convolution_a_gru_and_attention(samples):
    model = system_of(Handmade()).model
    found = operations(model, samples)
    frames = (samples - 400) // 320 + 1
    assert found.backbone == of_handmade(samples)
    assert found.head == of_cnn(frames, 12, 2)
    assert (found.fourier, found.uncounted) == (0, ())
    sizes = parameters(model, frozenset(), found.used)
    assert sizes.backbone == sizes_of(model.backbone, "decoder"), "what is never run does not count"
    assert sizes.head == sizes.trained == sizes_of(model.head)


def test_counting_leaves_the_system_and_torch_as_they_were():
    model, noise = system_of(Handmade()).model, torch.randn(1, SAMPLES)
    before = model(noise, torch.tensor([SAMPLES]))
    operations(model, SAMPLES)
    assert torch.equal(model(noise, torch.tensor([SAMPLES])), before)
    assert torch.backends.mha.get_fastpath_enabled()


def mel(frames: int, bins: int, size: int = 512) -> tuple[int, int]:
    """Return a log-mel front-end of Kaldi's: the filters, of as many columns as the spectrum has bins, and the FFT."""
    return 2 * frames * (size // 2 + 1) * bins, round(frames * 2.5 * size * math.log2(size))


def test_log_mel_energies():
    found = operations(system_of(fbank.load({"mel_bins": 40})).model, SAMPLES)
    frames = (SAMPLES - 400) // 160 + 1
    assert (found.backbone, found.fourier) == (sum(mel(frames, 40)), mel(frames, 40)[1])
    assert found.head == of_cnn(frames, 40, 1)


def test_apc_is_its_front_end_and_three_gru_layers(tmp_path):
    tiny_s3prl.write_tiny("apc", tmp_path)
    system = system_of(s3prl.load({"upstream": "apc"}, tmp_path))
    found = operations(system.model, SAMPLES)
    frames = (SAMPLES - 400) // 160 + 1
    gru = frames * 2 * 3 * 16 * ((80 + 16) + 2 * (16 + 16))
    postnet = 2 * frames * 16 * 80
    assert found.backbone == sum(mel(frames, 80)) + gru + postnet
    assert parameters(system.model, frozenset(), found.used).backbone == sizes_of(system.model.backbone)


def transformer(frames: int, width: int, hidden: int, layers: int) -> int:
    return layers * (2 * frames * width * (4 * width + 2 * hidden) + 4 * frames**2 * width)


def wav2vec_2(samples: int, channels: int, width: int, hidden: int, layers: int, kernel: int, groups: int) -> tuple:
    """Return what wav2vec 2.0 does without attention proper, and its frames."""
    frames, work, inputs = samples, 0, 1
    for size, stride in zip([10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2], strict=True):
        frames = (frames - size) // stride + 1
        work += 2 * frames * size * inputs * channels
        inputs = channels
    project = 2 * frames * channels * width
    positions = 2 * (frames + 1) * kernel * (width // groups) * width  # an even kernel makes one frame too many
    return work + project + positions + layers * 2 * frames * width * (4 * width + 2 * hidden), frames


def test_by_the_same_hand_count_wav2vec_2_has_the_figure_that_trust_ser_published():
    """41.6 · 10⁹ multiply-adds for 6 s, read off its figure; its counter does not see the products of attention."""
    work, frames = wav2vec_2(SIX_SECONDS, 512, 768, 3072, 12, 128, 16)
    assert frames == 299
    assert work / 2 / 1e9 == pytest.approx(41.6, abs=0.3)


def test_wav2vec_2_is_convolutions_positions_and_a_transformer(tmp_path):
    folder = tiny_transformers.write_tiny("wav2vec2_base", tmp_path / "w")
    system = system_of(transformers.load({}, folder))
    found = operations(system.model, SAMPLES)
    work, frames = wav2vec_2(SAMPLES, 8, 16, 24, 2, 6, 2)
    assert found.backbone == work + 2 * 4 * frames**2 * 16
    assert parameters(system.model, frozenset(), found.used).backbone == sizes_of(
        system.model.backbone, "masked_spec_embed"
    )


def test_whisper_is_its_encoder_and_no_decoder(tmp_path):
    folder = tiny_transformers.write_tiny("whisper", tmp_path / "w")
    system = system_of(transformers.load({}, folder))
    found = operations(system.model, SAMPLES)
    frames = SAMPLES // 160
    spectra = 2 * (frames + 1) * 201 * 80
    fourier = round((frames + 1) * 2.5 * 400 * math.log2(400))
    states = (frames - 1) // 2 + 1
    convolutions = 2 * frames * 3 * 80 * 16 + 2 * states * 3 * 16 * 16
    assert found.fourier == fourier
    assert found.backbone == spectra + fourier + convolutions + transformer(states, 16, 24, 2)
    assert parameters(system.model, frozenset(), found.used).backbone == sizes_of(system.model.backbone)


@pytest.mark.parametrize("kind", [*tiny_transformers.WAV2VEC_KINDS, *tiny_transformers.WHISPER_KINDS])
def test_no_kernel_of_transformers_goes_uncounted(kind, tmp_path):
    found = operations(
        system_of(transformers.load({}, tiny_transformers.write_tiny(kind, tmp_path / "w"))).model, SAMPLES
    )
    assert found.uncounted == ()


@pytest.mark.parametrize("upstream", [name for name in tiny_s3prl.UPSTREAMS if name != "decoar2"])
def test_no_kernel_of_s3prl_goes_uncounted(upstream, tmp_path):
    tiny_s3prl.write_tiny(upstream, tmp_path)
    assert operations(system_of(s3prl.load({"upstream": upstream}, tmp_path)).model, SAMPLES).uncounted == ()


HEADS = {
    "linear": lambda frames: 2 * 2 * frames * 12 + 2 * 12 * 3,
    "gru": lambda frames: 2 * 2 * frames * 12 + 2 * frames * 2 * 3 * 8 * (12 + 8) + 2 * 16 * 3,
    "transformer": lambda frames: 2 * 2 * frames * 12 + 2 * frames * 12 * 8 + transformer(frames, 8, 32, 1) + 2 * 8 * 3,
}


@pytest.mark.parametrize("head", HEADS)
def test_every_head(head):
    recipe = {"downstream_model": head, "hidden_size": 8, "num_layers": 1, "pooling": "mean"}
    frames = (SAMPLES - 400) // 320 + 1
    assert operations(system_of(Handmade(), recipe).model, SAMPLES).head == HEADS[head](frames)


def test_a_head_on_pooled_states_does_no_more_for_a_longer_utterance():
    recipe = {"downstream_model": "linear", "pooling": "std"}
    model = system_of(Handmade(), recipe, kind="pooled").model
    assert {operations(model, samples).head for samples in (4000, 9000)} == {2 * 2 * 24 + 2 * 24 * len(CLASSES)}


def test_what_torch_does_not_compute_has_no_figure_and_says_so(tmp_path):
    backbone = opensmile.load({"feature_set": "eGeMAPSv02", "level": "lld"})
    counted = Counted.of(system_of(backbone), [SAMPLES, 2 * SAMPLES], "egemaps")
    row = counted.row()
    blank = [name for name, value in row.items() if value is None]
    assert blank == [column.name for column in SystemCost.columns if "flops" in column.name]
    assert row["note"] == "operations not counted: what the backbone does is not done by torch"
    assert (row["backbone_parameters"], row["head_parameters"] > 0) == (0, True)
    assert counted.as_trust_ser() == {"1": {"flops": None, "params": 0.0}}
    CostLengths.write(counted.lengths(), tmp_path / "lengths.tsv")
    assert CostLengths.read(tmp_path / "lengths.tsv")["backbone_flops"].isna().all()


def test_a_kernel_without_a_formula_gives_no_figure_rather_than_a_wrong_one():
    class Odd(Handmade):
        def _run(self, waveforms):
            states = super()._run(waveforms)
            return states + torch.cdist(states, states).mean()

    row = Counted.of(system_of(Odd()), [SAMPLES], "odd").row()
    assert row["flops_6s"] is None
    assert "no formula for aten._cdist_forward" in row["note"]


def test_the_mean_is_that_of_all_utterances():
    random = np.random.default_rng(0)
    few = [int(own) for own in random.integers(2000, 30000, 12)]
    counted = Counted.of(system_of(Handmade()), few, "few")
    every = [of_handmade(own) + of_cnn((own - 400) // 320 + 1, 12, 2) for own in few]
    row = counted.row()
    assert row["flops_per_clip"] == pytest.approx(np.mean(every), rel=1e-12)
    assert row["flops_per_second"] == pytest.approx(np.mean(every) / (np.mean(few) / 16000), rel=1e-12)
    assert row["flops_6s"] == of_handmade(SIX_SECONDS) + of_cnn(299, 12, 2)
    assert row["flops_6s"] == row["backbone_flops_6s"] + row["head_flops_6s"]
    many = [int(own) for own in np.exp(random.normal(10.5, 0.5, 3000)).clip(3000, 160000)]
    lengths = counted_lengths(many)
    assert COUNTED - 3 <= len(lengths) <= COUNTED
    assert (lengths[0], lengths[-1]) == (min(many), max(many))
    true = np.mean([of_handmade(own) for own in many])
    assert mean_over(many, lengths, [of_handmade(own) for own in lengths]) == pytest.approx(true, rel=0.002)


@pytest.mark.parametrize("run", ["pooled", "frames_minmax", "lora", "last_layer", "full"])
def test_what_a_recipe_trained_counts_as_trainable(lab, run):
    folder = lab.model(run)
    weights = lab.project / "backbones" / RUNS[run][0] / "weights.tsv"
    system = load_system(folder / "seed0.safetensors", weights if weights.exists() else None)
    row = Counted.of(system, [SAMPLES], run).row()
    backbone, head = system.model.backbone, sizes_of(system.model.head)
    tuned = {
        "lora": 2 * 2 * 2 * (2 * 16),  # two layers, queries and values, up and down of rank 2
        "last_layer": sizes_of(backbone.expert.get_submodule("model.rnn_layers.2")) if run == "last_layer" else 0,
        "full": sizes_of(backbone, "masked_spec_embed"),
    }.get(run, 0)
    assert row["head_parameters"] == head
    assert row["trainable"] == head + tuned
    assert row["parameters"] == head + sizes_of(backbone, "masked_spec_embed")
    assert row["note"] == ""


def test_trust_sers_file_holds_multiply_adds_without_fourier_transforms():
    counted = Counted.of(system_of(fbank.load({"mel_bins": 40})), [SAMPLES], "fbank")
    frames = (SIX_SECONDS - 400) // 160 + 1
    told = json.loads(json.dumps(counted.as_trust_ser()))["1"]
    assert told == {"flops": (mel(frames, 40)[0] + of_cnn(frames, 40, 1)) / 2 / 1e9, "params": 0.0}
