import io
import struct

import numpy as np
import pytest
import soundfile
import soxr

from candor.audio import conversion
from candor.audio.conversion import AUDIO_VERSION, AudioError, convert, decode, encode, samples_in
from candor.corpora.decoding import ffmpeg_version
from candor.corpora.inspection import measure
from media import make_media, noise, stand_in


def read(wav: bytes):
    return soundfile.read(io.BytesIO(wav), dtype="int16")


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24414, 44100, 48000])
def test_any_rate_becomes_16_khz_mono_16_bit(tone, rate):
    wav = convert(tone(rate=rate, seconds=0.5))
    with soundfile.SoundFile(io.BytesIO(wav)) as file:
        assert (file.samplerate, file.channels, file.subtype, file.format) == (16000, 1, "PCM_16", "WAV")
        assert abs(file.frames - 8000) <= 1
    assert samples_in(wav) == abs(len(read(wav)[0]))


def test_16_khz_mono_comes_through_unchanged(tone):
    path = tone(rate=16000)
    assert np.array_equal(read(convert(path))[0], soundfile.read(path, dtype="int16")[0])


def test_channels_are_averaged(tmp_path):
    left = np.linspace(-0.5, 0.5, 1600)
    soundfile.write(tmp_path / "two.wav", np.stack([left, np.zeros(1600)], axis=1), 16000, subtype="PCM_16")
    stereo = soundfile.read(tmp_path / "two.wav", dtype="int16")[0].astype(float)
    assert np.abs(read(convert(tmp_path / "two.wav"))[0] - stereo.mean(axis=1)).max() <= 0.5


def test_the_samples_are_those_of_soxr(tone):
    path = tone(rate=44100)
    samples, rate = soundfile.read(path, dtype="float32")
    expected = np.clip(np.rint(soxr.resample(samples, rate, 16000, quality="HQ") * 32768), -32768, 32767)
    assert np.array_equal(read(convert(path))[0], expected)


def test_loud_samples_are_clipped_and_do_not_wrap_around():
    assert list(read(encode(np.array([1.5, 1.0, -1.0, -1.5], dtype=np.float32)))[0]) == [32767, 32767, -32768, -32768]


def test_decoding_gives_back_what_was_encoded():
    samples = np.random.default_rng(0).integers(-32768, 32768, 1000).astype(np.float32) / 32768
    assert np.array_equal(decode(encode(samples)), samples)


def test_what_is_not_audio_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "stub.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(AudioError, match=r"stub\.wav"):
        convert(tmp_path / "stub.wav")


def test_the_samples_of_this_version_are_these(tmp_path):
    """If this fails, converted audio has changed: raise AUDIO_VERSION, so that stores notice."""
    axis = np.arange(4800) / 48000
    soundfile.write(tmp_path / "tone.wav", 0.4 * np.sin(2 * np.pi * 440 * axis), 48000, subtype="PCM_16")
    samples = read(convert(tmp_path / "tone.wav"))[0]
    assert AUDIO_VERSION == 1
    assert len(samples) == 1600
    assert samples[::173] == pytest.approx(GOLDEN, abs=1)


GOLDEN = [220, -13093, -1234, 12976, 2456, -12746, -3657, 12400, 4825, -11946]


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_width_of_samples_is_read_as_libsndfile_reads_it(tmp_path, subtype):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, (1000, 2))
    soundfile.write(tmp_path / "clip.wav", samples, 16000, subtype=subtype)
    expected = encode(soundfile.read(tmp_path / "clip.wav", dtype="float32")[0].mean(axis=1, dtype=np.float32))
    assert convert(tmp_path / "clip.wav") == expected


def test_a_codec_that_cannot_seek_is_converted_as_inspected(tmp_path):
    path = tmp_path / "telephone.wav"
    soundfile.write(path, 0.3 * np.sin(np.arange(8000) / 5), 8000, subtype="GSM610")
    wav = convert(path, measure(path).audio)
    with soundfile.SoundFile(path) as file:
        assert samples_in(wav) == 2 * file.frames


def test_a_plain_wav_file_is_read_as_libsndfile_reads_it(tmp_path):
    """Files that hold a format and samples only are read without libsndfile; no sample may differ."""
    for channels in (1, 2, 3):
        samples = np.random.default_rng(channels).integers(-32768, 32768, (1000, channels), dtype=np.int16)
        path = tmp_path / f"{channels}.wav"
        soundfile.write(path, samples, 44100)
        seen, rate = conversion._read_plain(path) or pytest.fail("not taken as plain")
        assert rate == 44100
        assert np.array_equal(seen, soundfile.read(path, dtype="int16", always_2d=True)[0])


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(content) if size is None else size) + content


PCM = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
DATA = struct.pack("<100h", *range(-50, 50))


@pytest.mark.parametrize(
    "chunks",
    [
        chunk(b"LIST", b"INFOsoft") + chunk(b"fmt ", PCM) + chunk(b"data", DATA),
        chunk(b"fmt ", PCM) + chunk(b"data", DATA) + chunk(b"LIST", b"INFOsoft"),
        chunk(b"fmt ", PCM + b"\0\0") + chunk(b"data", DATA),
        chunk(b"fmt ", PCM) + chunk(b"data", DATA, 0xFFFFFFFF),
        chunk(b"fmt ", PCM) + chunk(b"data", DATA, 400),
    ],
    ids=["text first", "text last", "longer format", "streamed", "cut short"],
)
def test_every_other_make_of_wav_file_is_left_to_libsndfile(tmp_path, chunks):
    path = tmp_path / "clip.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    assert conversion._read_plain(path) is None
    assert np.array_equal(read(convert(path))[0], soundfile.read(path, dtype="int16")[0])
    assert len(read(convert(path))[0]) == 100


def test_the_sound_of_a_video_is_converted_as_that_of_a_wav(tmp_path):
    """In 5.1 the coder sorts the channels anew; the mean of them is the same."""
    video = make_media(tmp_path / "a.mov", "-c:a", "pcm_s16le", seconds=0.5, channels=6)
    soundfile.write(tmp_path / "b.wav", noise(0.5, 48000, 6), 48000)
    expected = read(convert(tmp_path / "b.wav"))[0].astype(int)
    assert np.abs(read(convert(video, measure(str(video)).audio))[0] - expected).max() <= 1


def test_lossy_sound_of_a_video_is_converted_as_inspected(tmp_path):
    video = make_media(tmp_path / "a.mp4", "-c:a", "aac")
    found = measure(str(video))
    wav = convert(video, found.audio)
    assert samples_in(wav) == pytest.approx(16000 * found.duration, abs=1)
    assert convert(video, found.audio) == wav


def test_other_samples_than_inspected_are_refused(tmp_path, tone):
    with pytest.raises(AudioError, match=r"tone\.wav: holds other samples .* give the same command again"):
        convert(tone(), "another hash")
    video = make_media(tmp_path / "a.mp4", "-c:a", "aac")
    with pytest.raises(AudioError, match=r"a\.mp4: ffmpeg \S+ finds other samples .* --forcerun manifest"):
        convert(video, "another hash")


def test_a_video_cut_short_is_not_converted_by_half(tmp_path):
    video = make_media(tmp_path / "a.mp4", "-c:a", "aac", "-movflags", "faststart")
    video.write_bytes(video.read_bytes()[:-9000])
    with pytest.raises(AudioError, match=r"a\.mp4: truncated"):
        convert(video)


def test_without_an_ffmpeg_that_works_a_sentence_says_so(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"anything")
    stand_in(tmp_path / "bin", monkeypatch, "kill -KILL $$")
    ffmpeg_version.cache_clear()
    with pytest.raises(AudioError, match=r"a\.mp4: not readable: ffmpeg was ended by signal 9"):
        convert(tmp_path / "a.mp4")
    monkeypatch.setenv("PATH", str(tmp_path))
    ffmpeg_version.cache_clear()
    with pytest.raises(AudioError, match=r"a\.mp4: needs ffmpeg: install it"):
        convert(tmp_path / "a.mp4")
    ffmpeg_version.cache_clear()


def test_plain_wav_files_take_the_short_way(tone, monkeypatch):
    path = tone()
    expected = convert(path)
    monkeypatch.setattr(conversion, "opened", None)
    assert convert(path) == expected
