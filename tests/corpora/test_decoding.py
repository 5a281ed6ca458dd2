import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from candor.corpora import decoding
from candor.corpora.decoding import DecodingError, ffmpeg_version, needs_ffmpeg, opened, promised_seconds
from media import ffmpeg, make_media, noise, require, stand_in


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch) -> Path:
    """Where temporary files go; and each test looks for ffmpeg anew."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    ffmpeg_version.cache_clear()
    yield folder
    ffmpeg_version.cache_clear()
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def wholes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wholes")
    for suffix in (".mp4", ".mkv"):
        make_media(folder / f"whole{suffix}", "-c:a", "aac", "-g", "100", seconds=5)
    return folder


def samples(path: Path) -> tuple[np.ndarray, int]:
    with opened(path) as file:
        return file.read(dtype="int16", always_2d=True), file.samplerate


@pytest.mark.parametrize(
    ("name", "codec", "rate", "channels"),
    [
        ("a.m4a", "alac", 16000, 1),
        ("a.mkv", "flac", 44100, 2),
        ("a.mka", "flac", 24000, 6),
        ("a.mov", "pcm_s16le", 48000, 6),
    ],
)
def test_lossless_sound_comes_out_as_it_went_in(tmp_path, name, codec, rate, channels):
    path = make_media(tmp_path / name, "-c:a", codec, seconds=0.5, rate=rate, channels=channels, video=False)
    seen, seen_rate = samples(path)
    assert seen_rate == rate
    # Coders of 5.1 sort its channels; for the mean of them their order is all one.
    assert np.array_equal(np.sort(seen, axis=1), np.sort(noise(0.5, rate, channels), axis=1))


def test_a_video_has_the_sound_that_was_put_into_it(tmp_path):
    path = make_media(tmp_path / "a.mp4", "-c:a", "aac", "-b:a", "320k")
    seen, rate = samples(path)
    expected = noise(3.0, 48000, 2)
    assert (rate, seen.shape[1]) == (48000, 2)
    assert len(expected) <= len(seen) <= len(expected) + 2048
    assert np.corrcoef(seen[: len(expected), 0], expected[:, 0])[0, 1] > 0.9
    assert np.array_equal(samples(path)[0], seen)


def test_of_several_sound_streams_the_first_counts(tmp_path):
    one, two = make_media(tmp_path / "1.mka", "-c:a", "flac", channels=1, video=False), tmp_path / "2.wav"
    soundfile.write(two, np.zeros(16000), 16000)
    ffmpeg("-i", one, "-i", two, "-map", "0:a", "-map", "1:a", "-c:a", "flac", tmp_path / "both.mkv")
    assert np.array_equal(samples(tmp_path / "both.mkv")[0], noise(3.0, 48000, 1))


def test_what_libsndfile_reads_is_opened_by_it_alone(tmp_path, write_wav, monkeypatch):
    monkeypatch.setenv("PATH", "")
    for name in ("a.wav", "a.flac", "a.ogg", "a.mp3"):
        assert not needs_ffmpeg(name)
        soundfile.write(tmp_path / name, noise(0.2, 16000, 1), 16000)
        assert samples(tmp_path / name)[1] == 16000
    assert needs_ffmpeg("dia0_utt0.mp4")
    assert needs_ffmpeg(Path("A.MKV"))


@pytest.mark.parametrize("name", ["-i.mp4", "a:b.mp4", "two words'.mp4", "%03d.mp4", "\udcff.mp4", "é\n.mp4"])
def test_odd_names_are_names_of_files(tmp_path, name, monkeypatch):
    make_media(tmp_path / "a.mp4", "-c:a", "aac", seconds=0.3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(samples(Path(name))[0]) >= 14400
    (tmp_path / name).write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(DecodingError) as error:
        samples(Path(name))
    assert name not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "cut",
    [
        ["-ss", "1.3", "-t", "1.1", "-i", "whole", "-c", "copy"],
        ["-i", "whole", "-ss", "1.3", "-t", "1.1", "-c", "copy"],
        ["-ss", "1.3", "-t", "1.1", "-i", "whole", "-c:v", "copy", "-c:a", "aac"],
        ["-i", "whole", "-itsoffset", "0.4", "-i", "whole", "-map", "0:v", "-map", "1:a", "-t", "2.2", "-c", "copy"],
        ["-i", "whole", "-t", "1", "-i", "whole", "-map", "0:v", "-map", "1:a", "-c", "copy"],
        ["-i", "whole", "-c", "copy", "-movflags", "frag_keyframe+empty_moov"],
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_clips_cut_out_of_longer_ones_last_as_long_as_they_promise(tmp_path, wholes, suffix, cut):
    """Cutting without coding anew leaves offsets and sound before the start; none of it is missing sound."""
    whole = wholes / f"whole{suffix}"
    clip = tmp_path / f"clip{suffix}"
    ffmpeg(*[str(whole) if argument == "whole" else argument for argument in cut], clip)
    seen, rate = samples(clip)
    assert promised_seconds(clip) <= len(seen) / rate + 0.1


def test_the_promise_is_that_of_the_sound_not_of_the_picture(tmp_path):
    path = make_media(tmp_path / "a.mp4", "-c:a", "aac", "-af", "atrim=duration=1")
    assert promised_seconds(path) == pytest.approx(1, abs=0.05)


def test_a_file_without_sound_or_of_another_kind(tmp_path):
    silent_film = make_media(tmp_path / "film.mp4", "-an")
    with pytest.raises(DecodingError, match=r"^not audio: the file has no sound stream$"):
        promised_seconds(silent_film)
    with pytest.raises(DecodingError, match=r"^not audio: the file has no sound stream$"):
        samples(silent_film)
    (tmp_path / "page.mp4").write_bytes(b"<html>404 Not Found</html>" * 100)
    said = []
    for _ in range(2):
        with pytest.raises(DecodingError, match=r"^not audio: ffmpeg says ") as error:
            samples(tmp_path / "page.mp4")
        said.append(str(error.value))
    assert said[0] == said[1]
    assert not re.search(r"0x|page|/", said[0])


def test_a_playlist_under_the_name_of_a_video_opens_nothing(tmp_path):
    make_media(tmp_path / "a.ts", "-c:a", "mp2", video=False)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:3", "#EXTINF:3,", "http://127.0.0.1:9/a.ts", "#EXT-X-ENDLIST"]
    (tmp_path / "list.mp4").write_text("\n".join(lines))
    with pytest.raises(DecodingError, match=r"^not audio"):
        samples(tmp_path / "list.mp4")


@pytest.mark.parametrize("there", [(), ("ffmpeg",), ("ffprobe",)])
def test_without_ffmpeg_a_sentence_says_what_to_install(tmp_path, monkeypatch, there):
    (tmp_path / "a.mp4").write_bytes(b"anything")
    stand_in(tmp_path / "bin", monkeypatch, "exit 0")
    for tool in {"ffmpeg", "ffprobe"} - set(there):
        (tmp_path / "bin" / tool).unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert ffmpeg_version() == ""
    for look in (promised_seconds, samples):
        with pytest.raises(DecodingError, match=r"^needs ffmpeg: install it"):
            look(tmp_path / "a.mp4")


def test_an_ffmpeg_that_does_not_run_counts_as_none(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"anything")
    stand_in(tmp_path / "bin", monkeypatch, "exit 0")
    (tmp_path / "bin" / "ffmpeg").write_text("#!/bin/bash\necho 'error while loading shared libraries' >&2; exit 127\n")
    with pytest.raises(DecodingError, match=r"^needs ffmpeg"):
        samples(tmp_path / "a.mp4")


def test_the_version_is_asked_for_once(tmp_path, monkeypatch):
    stand_in(tmp_path / "bin", monkeypatch, "exit 0", version="n7.1-tests")
    assert ffmpeg_version() == "n7.1-tests"
    shutil.rmtree(tmp_path / "bin")
    assert ffmpeg_version() == "n7.1-tests"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("exec sleep 60", "did not finish within"),
        ("kill -KILL $$", "was ended by signal 9"),
        ("echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 228", "no space left in "),
    ],
)
def test_what_goes_wrong_around_the_file_is_not_the_files_fault(tmp_path, monkeypatch, body, reason):
    (tmp_path / "a.mp4").write_bytes(b"anything")
    monkeypatch.setattr(decoding, "START_SECONDS", 0.3)
    stand_in(tmp_path / "bin", monkeypatch, body)
    for look in (promised_seconds, samples):
        with pytest.raises(OSError, match=reason):
            look(tmp_path / "a.mp4")


def test_a_complaint_counts_where_the_length_tells_nothing(tmp_path, monkeypatch):
    require("ffmpeg")
    body = 'echo "[aac @ 0x55d0] Input buffer exhausted" >&2; exec "$real" "$@"'
    whole = {name: make_media(tmp_path / name, "-c:a", "aac", video=False) for name in ("a.aac", "a.m4a")}
    stand_in(tmp_path / "bin", monkeypatch, body)
    with pytest.raises(DecodingError, match=r"^truncated: ffmpeg says 'Input buffer exhausted'$"):
        samples(whole["a.aac"])
    assert len(samples(whole["a.m4a"])[0]) >= 3 * 48000
