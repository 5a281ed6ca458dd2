"""Pretraining learns, is checked on speakers it never heard, survives kills, and s3prl reads what it writes."""

import io
import json
import signal
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from candor.audio.conversion import decode, encode
from candor.backbones.pretraining import training
from candor.backbones.pretraining.batches import Piece, batches, cut, shards
from candor.backbones.pretraining.figures import loss_figure
from candor.backbones.pretraining.gru import run_layer
from candor.backbones.pretraining.held_out import Clip, divide
from candor.backbones.pretraining.log_mel import LogMel
from candor.backbones.pretraining.network import foretell, new_network
from candor.backbones.pretraining.settings import MOST_SHARDS, PretrainingError, Settings
from candor.backbones.pretraining.training import learning_rate, pretrain
from candor.config.backbones import Pretrain
from candor.figures import save_figure
from candor.store.objects import Store
from candor.tables.pretraining import Pretraining

OPTIONS = Pretrain(
    dataset=["ours"], hidden_size=24, num_epochs=2, dropout=0.1, batch_seconds=4, max_seconds=0.3, learning_rate=0.02
).model_dump()


def glide(generator, seconds):
    """Return a sound that can be foretold: overtones that swell and whose pitch rises and falls."""
    time_ = np.arange(round(seconds * 16000)) / 16000
    pitch = generator.uniform(120, 240) * (1 + 0.3 * np.sin(2 * np.pi * generator.uniform(1, 2) * time_))
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    sound = sum(np.sin(overtone * phase) for overtone in range(1, 33))
    swell = 1.1 + np.sin(2 * np.pi * generator.uniform(3, 5) * time_)
    return (0.02 * sound * swell).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("audio") / "store")


@pytest.fixture(scope="module")
def clips(store):
    generator = np.random.default_rng(0)
    sounds = [glide(generator, generator.uniform(0.6, 2.2)) for _ in range(20)]
    return [Clip(f"u{n:02}", f"s{n // 4}", store.put(encode(sound), ".wav")) for n, sound in enumerate(sounds)]


@pytest.fixture(scope="module")
def undisturbed(clips, store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return pretrain(clips, store, OPTIONS, folder / "state", folder)


def run(clips, store, folder, **options):
    return pretrain(clips, store, {**OPTIONS, **options}, folder / "state", folder / "scratch")


def content(pretrained):
    return torch.load(io.BytesIO(pretrained.checkpoint), weights_only=True)


def s3prl_frames(clip, store):
    from s3prl.upstream.apc.audio import create_transform

    audio = {"feat_type": "fbank", "feat_dim": 80, "frame_length": 25, "frame_shift": 10, "decode_wav": False}
    transform, _ = create_transform({**audio, "cmvn": True})
    return transform(torch.from_numpy(decode(store.read(clip.member)))[None])


@pytest.mark.slow
def test_it_learns_to_foretell_better_than_copying(clips, store, tmp_path):
    history = run(
        clips, store, tmp_path, num_layers=2, hidden_size=48, num_epochs=24, max_seconds=0.6, dropout=0.0
    ).history
    best = min(row["held_out_loss"] for row in history)
    assert best < 0.8 * history[0]["copy_loss"]
    assert history[-1]["train_loss"] < 0.5 * history[1]["train_loss"]


def test_losses_are_what_numpy_says_of_s3prls_own_network(clips, store, undisturbed, tmp_path):
    """Pieces of whole clips, the network run through s3prl's own `forward`, frames of each clip on its own."""
    shift = 3
    trained = run(clips, store, tmp_path, time_shift=shift, max_seconds=60, num_epochs=1)
    from s3prl.upstream.apc.apc import APC

    saved = content(trained)
    network = APC(80, **saved["config"]["model"]["paras"]).eval()
    network.load_state_dict(saved["model"])
    own, copying = [], []
    for clip in clips:
        if clip.speaker in trained.held_out:
            frames = s3prl_frames(clip, store)
            with torch.no_grad():
                foretold, _ = network(frames[None], torch.tensor([len(frames)]), testing=True)
            true = frames.numpy()[shift:]
            own.append(np.abs(foretold[0].numpy()[:-shift] - true))
            copying.append(np.abs(frames.numpy()[:-shift] - true))
    selected = next(row for row in trained.history if row["selected"] == "yes")
    # Frames are kept in half precision.
    assert selected["held_out_loss"] == pytest.approx(np.concatenate(own).mean(), rel=1e-4)
    assert selected["copy_loss"] == pytest.approx(np.concatenate(copying).mean(), rel=1e-4)


def test_s3prl_loads_the_checkpoint(clips, store, undisturbed, tmp_path):
    from s3prl.upstream.apc.expert import UpstreamExpert

    file = tmp_path / "apc.ckpt"
    file.write_bytes(undisturbed.checkpoint)
    expert = UpstreamExpert(str(file)).eval()
    waveform = torch.from_numpy(decode(store.read(clips[0].member)))
    states = expert([waveform])["hidden_states"]
    assert len(states) == 3
    frames = s3prl_frames(clips[0], store)
    assert all(state.shape == (1, len(frames), 24) for state in states)
    foretold = expert.model.postnet(states[-1])
    assert torch.allclose(foretold, foretell(expert.model, frames[None]), atol=1e-5)


def test_padding_does_not_matter():
    network = new_network(Settings.of(OPTIONS))
    frames = torch.randn(1, 30, 80, generator=torch.Generator().manual_seed(0))
    padded = torch.cat([frames, torch.full((1, 20, 80), 7.0)], dim=1)
    assert torch.allclose(foretell(network, padded)[:, :30], foretell(network, frames), atol=1e-6)


def test_the_same_run_gives_the_same_bytes_with_any_number_of_threads(clips, store, undisturbed, tmp_path):
    granted = torch.get_num_threads()
    try:
        torch.set_num_threads(3 if granted == 1 else 1)
        again = run(list(reversed(clips)), store, tmp_path)
    finally:
        torch.set_num_threads(granted)
    assert again == undisturbed


@pytest.mark.parametrize("stop_at", [1, 4, 7, 11])
def test_broken_off_anywhere_it_ends_with_the_same_bytes(clips, store, undisturbed, tmp_path, monkeypatch, stop_at):
    """At odd places with a state after every step, so that it goes on within epochs too."""
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0 if stop_at % 2 else 300.0)
    real, steps = training._Run._step, []

    def breaking(self, *arguments):
        steps.append(arguments)
        if len(steps) == stop_at:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(training._Run, "_step", breaking)
    with pytest.raises(KeyboardInterrupt):
        run(clips, store, tmp_path)
    assert run(clips, store, tmp_path) == undisturbed


KILLED = """
import json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from candor.backbones.pretraining import training
from candor.backbones.pretraining.gru import run_layer
from candor.backbones.pretraining.held_out import Clip
from candor.store.objects import Store

training.SAVE_EVERY = 0.0
clips, store, options, folder = json.loads(sys.argv[1])
real = training._Run._step
def slow(self, *arguments):
    real(self, *arguments)
    print("step", flush=True)
training._Run._step = slow
folder = Path(folder)
training.pretrain([Clip(*c) for c in clips], Store(store), options, folder / "state", folder / "scratch")
print("done", flush=True)
"""


@pytest.mark.slow
def test_killed_it_ends_with_the_same_bytes(clips, store, undisturbed, tmp_path):
    argument = json.dumps([clips, str(store.root), OPTIONS, str(tmp_path)])
    process = subprocess.Popen([sys.executable, "-c", KILLED, argument], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(6):
        assert process.stdout.readline() == "step\n"
    time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    state = torch.load(tmp_path / "state", weights_only=True)
    assert (state["epoch"], state["step"]) > (0, 0)
    assert run(clips, store, tmp_path) == undisturbed


def test_layers_compute_what_torch_does_and_so_do_their_gradients():
    torch.manual_seed(0)
    layer = nn.GRU(7, 5, batch_first=True).double()
    inputs = torch.randn(3, 6, 7, dtype=torch.double, requires_grad=True)
    weights = torch.randn(3, 6, 5, dtype=torch.double)
    theirs, ours = layer(inputs)[0], run_layer(layer, inputs)
    assert torch.allclose(ours, theirs, atol=1e-12)
    wanted = [inputs, *layer.parameters()]
    gradients = [torch.autograd.grad((outputs * weights).square().sum(), wanted) for outputs in (theirs, ours)]
    assert all(torch.allclose(one, other, atol=1e-10) for one, other in zip(*gradients, strict=True))


def test_a_state_of_another_run_is_not_gone_on_from(clips, store, undisturbed, tmp_path):
    run(clips, store, tmp_path, seed=1, num_epochs=1)
    assert run(clips, store, tmp_path) == undisturbed


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_state_is_not_gone_on_from(clips, store, undisturbed, tmp_path, damage):
    state = tmp_path / "state"
    if damage is None:
        run(clips, store, tmp_path, num_epochs=1)
        damage = state.read_bytes()[:-500]
    state.write_bytes(damage)
    assert run(clips, store, tmp_path) == undisturbed


def test_held_out_speakers_have_no_part_in_the_weights(clips, store, tmp_path):
    """All epochs but the choice among them: with one epoch that beats the random weights there is no choice."""
    before = run(clips, store, tmp_path / "before", num_epochs=1)
    assert before.held_out
    noise = np.random.default_rng(1)
    garbled = [
        clip._replace(member=store.put(encode(noise.uniform(-0.5, 0.5, 20000).astype(np.float32)), ".wav"))
        if clip.speaker in before.held_out
        else clip
        for clip in clips
    ]
    # Each noise is another, or they would count as one clip.
    after = run(garbled, store, tmp_path / "after", num_epochs=1)
    assert after.held_out == before.held_out
    assert after.history[1]["train_loss"] == before.history[1]["train_loss"]
    assert after.history[1]["held_out_loss"] != before.history[1]["held_out_loss"]
    assert [row["selected"] for row in after.history] == [row["selected"] for row in before.history] == ["no", "yes"]
    assert after.checkpoint == before.checkpoint


def test_the_kept_weights_are_those_of_the_best_epoch(clips, store, undisturbed, tmp_path):
    """A shorter schedule is another training, so the epochs are broken off from the same one."""
    wild = run(clips, store, tmp_path, learning_rate=0.3, num_epochs=4)
    losses = [row["held_out_loss"] for row in wild.history]
    assert [row["selected"] for row in wild.history].index("yes") == int(np.argmin(losses))
    untrained = run(clips, store, tmp_path, num_epochs=0)
    assert [row["epoch"] for row in untrained.history] == [0]
    assert untrained.history[0]["held_out_loss"] == undisturbed.history[0]["held_out_loss"]
    expected = new_network(Settings.of(OPTIONS)).state_dict()
    assert all(torch.equal(content(untrained)["model"][name], tensor) for name, tensor in expected.items())


def test_one_speaker_or_none_known_has_clips_held_out(clips, store, tmp_path, caplog):
    caplog.set_level("INFO")
    alone = run([clip._replace(speaker="") for clip in clips], store, tmp_path, num_epochs=1)
    assert (alone.heard, alone.held_out) == (("",), ())
    assert alone.history[1]["held_out_loss"] < alone.history[0]["held_out_loss"]
    assert "clips are held out" in caplog.text


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.2, 2), (0.99, 9)])
def test_speakers_are_held_out_by_share_at_least_one_never_all(share, count):
    clips = [Clip(f"u{n}", f"s{n % 10}", f"m{n}") for n in range(40)] + [Clip("x", "", "m")]
    parts = divide(clips, share, seed=3)
    assert len(parts.held_out) == count
    assert {clips[place].speaker for place in parts.check} == set(parts.held_out)
    assert {clips[place].speaker for place in parts.train} == set(parts.heard)
    assert not set(parts.held_out) & set(parts.heard)
    assert sorted(parts.train + parts.check) == list(range(41))
    assert parts == divide(clips, share, seed=3)


def test_clips_too_short_or_silent_are_left_out(clips, store, undisturbed, tmp_path, caplog):
    caplog.set_level("INFO")
    useless = [
        np.zeros(16000, np.float32), np.full(16000, 0.25, np.float32), np.zeros(0, np.float32),
        0.1 * np.ones(100, np.float32), np.random.default_rng(0).uniform(-0.1, 0.1, 450).astype(np.float32),
    ]  # fmt: skip
    more = [Clip(f"x{n}", "s0", store.put(encode(sound), ".wav")) for n, sound in enumerate(useless)]
    assert run([*clips, *more], store, tmp_path).history == undisturbed.history
    assert "5 of 25 clips are too short or silent" in caplog.text
    with pytest.raises(PretrainingError, match="none of the 5 clips"):
        run(more, store, tmp_path)


def test_the_same_audio_twice_counts_once(clips, store, undisturbed, tmp_path):
    again = [clip._replace(utterance=f"z_{clip.utterance}", speaker=f"z_{clip.speaker}") for clip in clips]
    assert run([*clips, *again], store, tmp_path) == undisturbed


def test_one_clip_is_not_enough(clips, store, tmp_path):
    with pytest.raises(PretrainingError, match="at least two"):
        run(clips[:1], store, tmp_path)


def test_a_loss_that_is_no_number_names_the_keys(clips, store, tmp_path):
    with pytest.raises(PretrainingError, match=r"learning_rate.*1e\+38.*clip_norm"):
        run(clips, store, tmp_path, learning_rate=1e38, num_epochs=40)


def test_each_frame_is_foretold_once_per_epoch():
    shift, longest = 2, 50
    starts = (0, 3, 203, 260, 311)
    log_mel = LogMel(tuple(Clip(str(n), "", str(n)) for n in range(4)), starts, np.zeros((311, 80), np.float16))
    pieces = cut(log_mel, range(4), longest, shift)
    foretold = [frame + shift for start, length in pieces for frame in range(start, start + length)]
    assert foretold == [frame for first, end in pairwise(starts) for frame in range(first + 2, end)]
    assert max(piece.length for piece in pieces) <= longest


def test_batches_hold_every_piece_once_with_little_padding():
    draw = np.random.default_rng(0)
    pieces = [Piece(n, int(length)) for n, length in enumerate(draw.integers(10, 500, 1000))]
    dealt = batches(pieces, 6000, np.random.default_rng([0, 1]))
    assert sorted(piece for batch in dealt for piece in batch) == pieces
    padded = [len(batch) * max(piece.length for piece in batch) for batch in dealt]
    assert max(padded) <= 6000
    assert sum(padded) < 1.2 * sum(piece.length for piece in pieces)
    assert dealt == batches(pieces, 6000, np.random.default_rng([0, 1]))
    assert dealt != batches(pieces, 6000, np.random.default_rng([0, 2]))
    for batch in dealt:
        parts = shards(batch)
        assert len(parts) <= MOST_SHARDS
        assert sorted(piece for part in parts for piece in part) == sorted(batch)


def test_the_learning_rate_rises_and_falls_to_nothing():
    rates = [learning_rate(0.1, (step + 0.5) / 1000) for step in range(1000)]
    top = int(np.argmax(rates))
    assert 40 <= top <= 60
    assert np.all(np.diff(rates[: top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) < 0)
    assert rates[top] == pytest.approx(0.1, rel=1e-3)
    assert rates[-1] < 1e-6


def test_history_and_figure(undisturbed, tmp_path):
    Pretraining.write(undisturbed.history, tmp_path / "pretraining.tsv")
    rows = Pretraining.read(tmp_path / "pretraining.tsv")
    assert list(rows["epoch"]) == [0, 1, 2]
    assert rows["train_loss"].isna().tolist() == [True, False, False]
    assert list(rows["held_out_loss"]) == [row["held_out_loss"] for row in undisturbed.history]
    axes = loss_figure(rows, "ours").axes[0]
    drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    assert np.allclose(drawn["held-out audio"], rows["held_out_loss"])
    assert np.allclose(drawn["training audio"], rows["train_loss"][1:])
    assert np.allclose(drawn["copying the last frame"], rows["copy_loss"][0])
    for name in ("once.png", "twice.png"):
        save_figure(loss_figure(rows, "ours"), tmp_path / name)
    assert (tmp_path / "once.png").read_bytes() == (tmp_path / "twice.png").read_bytes()
    loss_figure(rows[:1].assign(selected="yes"), "untrained")


@pytest.mark.parametrize(("batch_seconds", "max_seconds"), [(16, 2), (10, 1), (64, 2), (300, 1), (1, 4)])
def test_as_many_threads_are_asked_for_as_a_step_has_shares(batch_seconds, max_seconds):
    settings = Settings.of(Pretrain(dataset=["d"], batch_seconds=batch_seconds, max_seconds=max_seconds).model_dump())
    pieces = [Piece(place * settings.piece_frames, settings.piece_frames) for place in range(1000)]
    fullest = max(batches(pieces, settings.batch_frames, None), key=len)
    assert settings.threads == len(shards(fullest))
