import os
import time

import pytest

from candor.corpora.listing import below, files, listing_digest
from candor.corpora.reader import CorpusError


@pytest.fixture
def corpus(tmp_path):
    for name in ("Actor_02/b.wav", "Actor_01/a.wav", "Actor_01/._a.wav", "labels.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def test_files_are_sorted_and_of_the_suffix(corpus):
    (corpus / "Actor_01" / "c.WAV").touch()
    assert files(corpus, ".wav") == ["Actor_01/._a.wav", "Actor_01/a.wav", "Actor_01/c.WAV", "Actor_02/b.wav"]


def test_the_digest_stays_while_nothing_changes(corpus):
    assert listing_digest(corpus) == listing_digest(corpus)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "Actor_01" / "new.wav").touch(),
        lambda root: (root / "Actor_01" / "a.wav").unlink(),
        lambda root: (root / "Actor_01" / "a.wav").rename(root / "Actor_02" / "a.wav"),
        lambda root: (root / "Actor_01" / "a.wav").write_bytes(b"longer than it was"),
        lambda root: os.utime(root / "Actor_01" / "a.wav", ns=(1, 1)),
    ],
    ids=["added", "removed", "moved", "grown", "touched"],
)
def test_the_digest_notices_a_change(corpus, change):
    before = listing_digest(corpus)
    change(corpus)
    assert listing_digest(corpus) != before


def test_hidden_files_are_no_part_of_a_corpus(corpus):
    before = listing_digest(corpus)
    (corpus / ".git").mkdir()
    (corpus / ".git" / "index").touch()
    (corpus / ".DS_Store").touch()
    assert listing_digest(corpus) == before


def test_links_are_followed_and_loops_are_not(corpus, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "d.wav").touch()
    (corpus / "Actor_03").symlink_to(elsewhere)
    (corpus / "Actor_01" / "loop").symlink_to(corpus)
    (corpus / "gone.wav").symlink_to(corpus / "nowhere")
    assert "Actor_03/d.wav" in files(corpus, ".wav")
    before = listing_digest(corpus)
    (elsewhere / "e.wav").touch()
    assert listing_digest(corpus) != before


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="cannot be listed"):
        listing_digest(tmp_path / "nowhere")


def test_a_large_corpus_takes_no_time_worth_waiting_for(tmp_path):
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        for number in range(500):
            (tmp_path / str(folder) / f"{number}.wav").touch()
    start = time.perf_counter()
    listing_digest(tmp_path)
    assert time.perf_counter() - start < 1  # a fifteenth of 150,000 files, which may take 3 s, with room for load


@pytest.mark.parametrize("path", ["a.wav", "./a.wav", "Actor_01/../a.wav", "{root}/a.wav", "{root}/x/..//a.wav"])
def test_a_place_in_the_folder_has_one_path(tmp_path, path):
    assert below(tmp_path, path.format(root=tmp_path)) == "a.wav"


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/etc/a.wav", "outside"),
        ("../a.wav", "outside"),
        ("x/../../a.wav", "outside"),
        ("{root}2/a.wav", "outside"),
        (".a.wav", "hidden"),
        (".x/a.wav", "hidden"),
    ],
)
def test_a_place_whose_changes_the_digest_does_not_see_is_refused(tmp_path, path, where):
    with pytest.raises(CorpusError, match=where):
        below(tmp_path, path.format(root=tmp_path))


def test_a_link_in_the_folder_is_in_the_folder(corpus, tmp_path_factory):
    (corpus / "Actor_03").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    assert below(corpus, "Actor_03/d.wav") == "Actor_03/d.wav"
