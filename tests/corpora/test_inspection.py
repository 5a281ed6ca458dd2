import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from candor.corpora import inspection
from candor.corpora.decoding import ffmpeg_version
from candor.corpora.inspection import Limits, inspect
from media import make_media, noise, require, stand_in

LFS_STUB = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 72862\n"
)


@pytest.fixture(autouse=True)
def ask_ffmpeg_anew() -> None:
    ffmpeg_version.cache_clear()


def look(file: Path, **limits: float) -> inspection.Inspection:
    return inspect(file.parent, [file.name], workers=1, limits=Limits(**limits))[file.name]


def set_data_size(file: Path, size: int) -> None:
    content = file.read_bytes()
    at = content.index(b"data") + 4
    file.write_bytes(content[:at] + struct.pack("<I", size) + content[at + 4 :])


def test_a_sound_recording_passes_with_its_figures(tmp_path, write_wav):
    found = look(write_wav(tmp_path / "a.wav", seconds=0.5))
    assert (found.problem, found.note, found.duration, found.rate, found.channels) == ("", "", 0.5, 16000, 1)
    assert len(found.audio) == 64


def test_a_file_that_is_not_there(tmp_path):
    assert look(tmp_path / "none.wav").problem == "missing file"
    (tmp_path / "folder.wav").mkdir()
    assert look(tmp_path / "folder.wav").problem == "missing file"
    (tmp_path / "link.wav").symlink_to(tmp_path / "nowhere.wav")
    assert look(tmp_path / "link.wav").problem == "missing file"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.wav", b"", "empty file"),
        ("a.wav", LFS_STUB, "git-LFS stub: run `git lfs pull` in the corpus folder"),
        ("._a.wav", b"anything", "macOS resource fork"),
        ("a.wav", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(60), "macOS resource fork"),
        ("a.wav", b"<html>404 Not Found</html>" * 10, "not audio: "),
        ("a.wav", b"\x00" * 5000, "not audio: "),
        ("a.wav", b"RIFF", "not audio: "),
        ("a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "truncated: ends before its samples"),
        ("a.raw", b"\x01\x02" * 500, "not audio: "),
    ],
)
def test_what_is_no_recording(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    found = look(tmp_path / name)
    assert found.problem.startswith(problem)
    assert "\n" not in found.problem
    assert str(tmp_path) not in found.problem


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.03])
def test_a_wav_cut_short_is_told_by_its_header(tmp_path, write_wav, kept):
    file = write_wav(tmp_path / "a.wav", seconds=2)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * kept)])
    there = (file.stat().st_size - 44) / 2 / 16000
    assert look(file).problem == f"truncated: the header says 2.00 s, {there:.2f} s are there"
    assert len(soundfile.read(file)[0]) < 32000  # the decoder itself says nothing


def test_a_wav_whose_samples_are_all_lost_is_truncated(tmp_path, write_wav):
    file = write_wav(tmp_path / "a.wav", seconds=1)
    file.write_bytes(file.read_bytes()[:44])
    assert look(file).problem == "truncated: the header says 1.00 s, 0.00 s are there"


def test_a_flac_cut_short(tmp_path, write_wav):
    file = write_wav(tmp_path / "a.flac", seconds=2)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert look(file).problem.startswith("truncated: the header says 2.00 s")


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_streamed_wav_is_read_to_its_end(tmp_path, write_wav, size):
    whole = look(write_wav(tmp_path / "a.wav", seconds=0.5))
    set_data_size(tmp_path / "a.wav", size)
    found = look(tmp_path / "a.wav")
    assert found.problem == ""
    assert found.note == "header without a length, read to the end"
    assert (found.duration, found.audio) == (whole.duration, whole.audio)


def test_a_streamed_wav_that_no_decoder_reads_says_how_to_mend_it(tmp_path, write_wav):
    set_data_size(write_wav(tmp_path / "a.wav"), 0)
    assert look(tmp_path / "a.wav").problem.startswith("not decodable: its header says 0 samples, 16000 bytes follow")


def test_a_chunk_behind_the_samples_is_no_alarm(tmp_path, write_wav):
    file = write_wav(tmp_path / "a.wav", seconds=0.5)
    file.write_bytes(file.read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert look(file).problem == ""


def test_a_header_and_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    assert look(tmp_path / "a.wav").problem == "empty file: a header and no samples"


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_a_constant_is_silent(tmp_path, value):
    soundfile.write(tmp_path / "a.wav", np.full(16000, value), 16000)
    assert look(tmp_path / "a.wav").problem == "silent: all samples are equal"


def test_silence_is_a_matter_of_the_limit(tmp_path):
    # A sine of amplitude 0.0005 peaks at 20 log10(0.0005) = -66.02 dB of full scale.
    tone = 0.0005 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    soundfile.write(tmp_path / "a.wav", tone + 0.1, 16000, subtype="FLOAT")
    assert 20 * math.log10(0.0005) == pytest.approx(-66.02, abs=0.01)
    assert look(tmp_path / "a.wav").problem == "silent: peak at -66.0 dBFS"
    assert look(tmp_path / "a.wav", silence_dbfs=-70.0).problem == ""


def test_channels_that_cancel_are_silent_when_mixed_down(tmp_path, write_wav):
    mono, rate = soundfile.read(write_wav(tmp_path / "a.wav"), dtype="float32")
    soundfile.write(tmp_path / "b.wav", np.stack([mono, -mono], axis=1), rate, subtype="FLOAT")
    assert look(tmp_path / "b.wav").problem.startswith("silent")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number(tmp_path, write_wav, value):
    samples, rate = soundfile.read(write_wav(tmp_path / "a.wav"), dtype="float32")
    samples[[3, 4000]] = value
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    assert look(tmp_path / "a.wav").problem == "contains NaN or infinity: 2 samples"


def test_too_long_and_too_short(tmp_path, write_wav):
    assert look(write_wav(tmp_path / "a.wav", seconds=61)).problem == "too long: 61.00 s, at most 60 s"
    assert look(write_wav(tmp_path / "b.wav", seconds=0.05)).problem == "too short: 0.050 s, at least 0.1 s"
    assert look(tmp_path / "a.wav", max_duration=90.0).problem == ""
    assert look(tmp_path / "b.wav", min_duration=0.01).problem == ""


@pytest.mark.parametrize(
    ("rate", "channels", "note"),
    [
        (16000, 2, "stereo, mixed down"),
        (16000, 6, "6 channels, mixed down"),
        (8000, 1, "8000 Hz: upsampled, nothing above 4000 Hz"),
        (8000, 2, "stereo, mixed down; 8000 Hz: upsampled, nothing above 4000 Hz"),
        (48000, 1, ""),
    ],
)
def test_what_is_odd_is_noted(tmp_path, write_wav, rate, channels, note):
    found = look(write_wav(tmp_path / "a.wav", rate=rate, channels=channels))
    assert (found.problem, found.note) == ("", note)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_the_hash_is_of_the_samples_not_of_the_file(tmp_path, write_wav, subtype):
    one = write_wav(tmp_path / "a.wav", subtype=subtype, seed=1)
    two = write_wav(tmp_path / "b.wav", subtype=subtype, seed=1)
    two.write_bytes(two.read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert look(one).audio == look(two).audio
    hashes = {
        look(write_wav(tmp_path / f"{name}.wav", subtype=subtype, **choice)).audio
        for name, choice in {"c": {"seed": 2}, "d": {"seed": 1, "rate": 8000}, "e": {"seed": 1, "channels": 2}}.items()
    }
    assert len(hashes | {look(one).audio}) == 4


def test_the_hash_of_16_bits_is_that_of_the_same_samples_in_flac(tmp_path, write_wav):
    samples, rate = soundfile.read(write_wav(tmp_path / "a.wav"), dtype="int16")
    soundfile.write(tmp_path / "a.flac", samples, rate, subtype="PCM_16")
    assert look(tmp_path / "a.flac").audio == look(tmp_path / "a.wav").audio


def test_workers_change_nothing(tmp_path, write_wav):
    names = [write_wav(tmp_path / f"{number:02d}.wav", seconds=0.1 + number / 100).name for number in range(40)]
    (tmp_path / names[7]).write_bytes(b"")
    one = inspect(tmp_path, names, workers=1)
    two = inspect(tmp_path, names, workers=2)
    assert one == two
    assert [path for path, found in one.items() if found.problem] == [names[7]]


def test_a_second_run_opens_only_what_is_new(tmp_path, write_wav, monkeypatch):
    names = [write_wav(tmp_path / f"{number}.wav").name for number in range(4)]
    ledger = Memory()
    first = inspect(tmp_path, names, workers=1, ledger=ledger)
    opened: list[str] = []
    measure = inspection.measure
    monkeypatch.setattr(inspection, "measure", lambda path: opened.append(Path(path).name) or measure(path))
    assert inspect(tmp_path, names, workers=1, ledger=ledger) == first
    assert opened == []
    write_wav(tmp_path / "2.wav", seconds=1)
    os.utime(tmp_path / "3.wav", ns=(5, 5))
    inspect(tmp_path, names, workers=1, ledger=ledger)
    assert opened == ["2.wav", "3.wav"]


def test_a_run_that_was_killed_goes_on_where_it_stopped(tmp_path, write_wav, monkeypatch):
    names = [write_wav(tmp_path / f"{number}.wav").name for number in range(4)]
    measure, ledger, opened = inspection.measure, Memory(), []

    def until_the_third(path: str) -> inspection.Measurement:
        if path.endswith("2.wav"):
            raise KeyboardInterrupt
        return measure(path)

    monkeypatch.setattr(inspection, "measure", until_the_third)
    with pytest.raises(KeyboardInterrupt):
        inspect(tmp_path, names, workers=1, ledger=ledger)
    monkeypatch.setattr(inspection, "measure", lambda path: opened.append(Path(path).name) or measure(path))
    inspect(tmp_path, names, workers=1, ledger=ledger)
    assert opened == ["2.wav", "3.wav"]


def test_other_limits_need_no_second_look(tmp_path, write_wav, monkeypatch):
    write_wav(tmp_path / "a.wav", seconds=2)
    ledger = Memory()
    assert inspect(tmp_path, ["a.wav"], workers=1, ledger=ledger)["a.wav"].problem == ""
    monkeypatch.setattr(inspection, "measure", None)
    found = inspect(tmp_path, ["a.wav"], workers=1, ledger=ledger, limits=Limits(max_duration=1))
    assert found["a.wav"].problem == "too long: 2.00 s, at most 1 s"


def test_a_file_that_comes_later_is_not_remembered_as_missing(tmp_path, write_wav):
    ledger = Memory()
    assert inspect(tmp_path, ["a.wav"], workers=1, ledger=ledger)["a.wav"].problem == "missing file"
    write_wav(tmp_path / "a.wav")
    assert inspect(tmp_path, ["a.wav"], workers=1, ledger=ledger)["a.wav"].problem == ""


def test_a_video_passes_with_the_figures_of_its_sound(tmp_path):
    found = look(make_media(tmp_path / "a.mp4", "-c:a", "aac"))
    assert (found.problem, found.note, found.rate, found.channels) == ("", "stereo, mixed down", 48000, 2)
    assert found.duration == pytest.approx(3, abs=0.05)


def test_the_hash_of_lossless_sound_in_a_container_is_that_of_the_wav(tmp_path):
    video = make_media(tmp_path / "a.mkv", "-c:a", "flac", seconds=0.5)
    soundfile.write(tmp_path / "a.wav", noise(0.5, 48000, 2), 48000)
    assert look(video).audio == look(tmp_path / "a.wav").audio


CONTAINERS = {
    "a.mp4": ["-c:a", "aac"],
    "fast.mp4": ["-c:a", "aac", "-movflags", "faststart"],
    "parts.mp4": ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-g", "24"],
    "a.mov": ["-c:a", "aac"],
    "a.m4a": ["-c:a", "alac", "-vn"],
    "a.mkv": ["-c:a", "aac"],
    "a.webm": ["-c:a", "vorbis", "-strict", "-2", "-vn"],
    "a.avi": ["-c:a", "mp2"],
    "a.aac": ["-c:a", "aac", "-vn"],
    "a.wma": ["-c:a", "wmav2", "-vn"],
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_cut_short_is_told(tmp_path, name):
    """Decoders read what is there of such a file and call it a success; half a sentence would take part."""
    file = make_media(tmp_path / name, *CONTAINERS[name])
    assert look(file).problem == ""
    content = file.read_bytes()
    for share in (0.05, 0.6, 0.97):
        file.write_bytes(content[: int(share * len(content))])
        assert look(file).problem.startswith("truncated: "), share
    file.write_bytes(content[:-1])
    assert look(file).problem.startswith("truncated: ") or name == "a.mkv"


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_download_that_stopped_leaves_zeros(tmp_path, share):
    """The size is right and decoders only skip what they cannot read."""
    file = make_media(tmp_path / "a.mp4", "-c:a", "aac", "-movflags", "faststart")
    content = file.read_bytes()
    there = int(share * len(content))
    file.write_bytes(content[:there] + bytes(len(content) - there))
    assert look(file).problem.startswith("truncated: the header says 3.00 s, ")


def test_a_video_whose_index_is_lost(tmp_path):
    file = make_media(tmp_path / "a.mp4", "-c:a", "aac")
    content = file.read_bytes()
    for extra in (0, 3):
        file.write_bytes(content[: content.index(b"moov") - 4 + extra])
        assert look(file).problem == "truncated: its index, the part moov, is missing"


def test_bytes_behind_a_whole_video_are_no_alarm(tmp_path):
    file = make_media(tmp_path / "a.mp4", "-c:a", "aac")
    for extra in (b"\n", b"made by hand\n", bytes(100)):
        file.write_bytes(file.read_bytes() + extra)
        assert look(file).problem == ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty file"),
        (LFS_STUB, "git-LFS stub: run `git lfs pull` in the corpus folder"),
        (b"<html>404 Not Found</html>" * 10, "not audio: "),
        (b"\x00" * 5000, "not audio: "),
        (b"\x00\x00\x00\x20ftypisom", "truncated: the header says 32 bytes, 12 are there"),
        (b"RIFF\xff\x00\x00\x00AVI LIST", "truncated: the header says 263 bytes, 16 are there"),
    ],
)
def test_what_is_no_video(tmp_path, content, problem):
    require("ffmpeg")
    (tmp_path / "a.mp4").write_bytes(content)
    found = look(tmp_path / "a.mp4")
    assert found.problem.startswith(problem)
    assert str(tmp_path) not in found.problem


def test_without_ffmpeg_nothing_is_remembered(tmp_path, monkeypatch):
    make_media(tmp_path / "a.mp4", "-c:a", "aac")
    ledger, path = Memory(), os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path))
    found = inspect(tmp_path, ["a.mp4"], workers=1, ledger=ledger)["a.mp4"]
    assert found.problem.startswith("needs ffmpeg: install it")
    assert ledger == {}
    monkeypatch.setenv("PATH", path)
    ffmpeg_version.cache_clear()
    assert inspect(tmp_path, ["a.mp4"], workers=1, ledger=ledger)["a.mp4"].problem == ""


def test_another_ffmpeg_looks_at_its_files_again_and_at_no_other(tmp_path, write_wav, monkeypatch):
    require("ffmpeg")
    make_media(tmp_path / "a.mp4", "-c:a", "aac")
    write_wav(tmp_path / "b.wav")
    ledger, measure, opened = Memory(), inspection.measure, []
    monkeypatch.setattr(inspection, "measure", lambda path: opened.append(Path(path).name) or measure(path))
    for version in ("7.0", "7.0", "8.0"):
        stand_in(tmp_path / "bin", monkeypatch, 'exec "$real" "$@"', version=version)
        ffmpeg_version.cache_clear()
        assert inspect(tmp_path, ["a.mp4", "b.wav"], workers=1, ledger=ledger)["a.mp4"].problem == ""
    assert opened == ["a.mp4", "b.wav", "a.mp4"]


def test_a_decoder_that_hangs_is_stopped_and_tried_again_next_time(tmp_path, monkeypatch):
    require("ffmpeg")
    make_media(tmp_path / "a.mp4", "-c:a", "aac")
    monkeypatch.setattr("candor.corpora.decoding.START_SECONDS", 0.3)
    stand_in(tmp_path / "bin", monkeypatch, "exec sleep 60")
    ledger = Memory()
    found = inspect(tmp_path, ["a.mp4"], workers=1, ledger=ledger)["a.mp4"]
    assert found.problem.startswith("not readable: ffprobe did not finish within")
    assert ledger == {}


class Memory(dict[str, str]):
    """The least that can remember."""

    def put(self, key: str, value: str) -> None:
        self[key] = value
