from pathlib import Path

from candor.corpora.file_names import read_file_names
from candor.corpora.reader import Clip, Rejection


def by_stem(path: str) -> Clip | Rejection:
    stem = Path(path).stem
    return Rejection(path, "label", "no name") if stem == "odd" else Clip(stem, path, "someone")


def test_of_two_files_with_one_name_the_one_nearer_to_the_root_counts(tmp_path):
    for name in ("z/b.wav", "a/z/b.wav", "a.wav", "odd.wav", "z/._b.wav", "notes.txt", "c.WAV"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    reading = read_file_names(tmp_path, by_stem)
    assert [clip.path for clip in reading.clips] == ["a.wav", "z/b.wav", "c.WAV"]
    assert sorted((rejection.path, rejection.kind, rejection.reason) for rejection in reading.rejected) == [
        ("a/z/b.wav", "filter", "second copy: z/b.wav has the same name"),
        ("odd.wav", "label", "no name"),
        ("z/._b.wav", "audio", "macOS resource fork"),
    ]


def test_names_end_as_asked(tmp_path):
    for name in ("a.wav", "b.mp4"):
        (tmp_path / name).touch()
    assert [clip.path for clip in read_file_names(tmp_path, by_stem, ".mp4").clips] == ["b.mp4"]
