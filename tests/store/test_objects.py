import multiprocessing
import os
import resource
import signal
from pathlib import Path

import pytest

from candor.store.objects import Store, StoreError, digest


def test_what_is_put_is_read_back_under_its_hash(tmp_path):
    store = Store(tmp_path)
    member = store.put(b"speech", ".wav")
    assert member == digest(b"speech") + ".wav"
    assert store.read(member) == b"speech"
    assert store.put(b"speech", ".wav") == member
    assert len([path for path in (tmp_path / "objects").rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("damage", [b"", b"speec", b"speeck", b"speech and more"])
def test_damage_is_found_on_reading_and_mended_by_putting_again(tmp_path, damage):
    store = Store(tmp_path)
    member = store.put(b"speech", ".wav")
    path = store.path(member)
    path.chmod(0o644)
    path.write_bytes(damage)
    assert not store.intact(member)
    with pytest.raises(StoreError, match=r"is damaged.*candor store verify --repair"):
        store.read(member)
    store.put(b"speech", ".wav")
    assert store.read(member) == b"speech"


def test_a_missing_member_is_said_to_be_missing(tmp_path):
    with pytest.raises(StoreError, match="is missing"):
        Store(tmp_path).read(digest(b"never put"))


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    store = Store(tmp_path)

    def no_space(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="no space"):
        store.put(b"speech", ".wav")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def _put_with_little_room(root: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    with pytest.raises(OSError, match="too large"):
        Store(root).put(bytes(10000), ".wav")


def test_a_disk_that_fills_up_in_the_middle_of_a_write_is_an_error(tmp_path):
    writer = multiprocessing.get_context("fork").Process(target=_put_with_little_room, args=(str(tmp_path),))
    writer.start()
    writer.join()
    assert writer.exitcode == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def _put_many(root: str) -> None:
    store = Store(root)
    with store.ledger("audio") as ledger:
        for number in range(50):
            ledger.put(f"key{number}", store.put(f"speech {number}".encode(), ".wav"))


def test_several_writers_share_a_store(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_put_many, args=(str(tmp_path),)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store = Store(tmp_path)
    entries = store.ledger("audio").items()
    assert len(entries) == 50
    assert all(store.read(entries[f"key{number}"]) == f"speech {number}".encode() for number in range(50))


def test_a_link_shows_the_member_without_a_second_copy(tmp_path):
    store = Store(tmp_path / "store")
    member = store.put(b"speech", ".wav")
    shown = tmp_path / "audio" / "clip.wav"
    store.link(member, shown)
    store.link(member, shown)
    assert shown.samefile(store.path(member))
    shown.unlink()
    shown.write_bytes(b"something else")
    store.link(member, shown)
    assert shown.read_bytes() == b"speech"


def test_a_link_falls_back_where_the_file_system_has_no_hard_links(tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    member = store.put(b"speech", ".wav")

    def refuse(*_):
        raise OSError("cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    shown = tmp_path / "audio" / "clip.wav"
    store.link(member, shown)
    assert shown.is_symlink()
    assert shown.read_bytes() == b"speech"


def test_a_link_to_a_missing_member_is_explained(tmp_path):
    store = Store(tmp_path / "store")
    member = store.put(b"speech", ".wav")
    shown = tmp_path / "clip.wav"
    store.link(member, shown)
    store.path(member).unlink()
    with pytest.raises(StoreError, match="is missing"):
        store.link(member, shown)


def test_members_cannot_be_edited_by_accident(tmp_path):
    store = Store(tmp_path)
    mode = store.path(store.put(b"speech", ".wav")).stat().st_mode
    assert not mode & 0o222
    assert isinstance(store.root, Path)


def test_a_folder_that_cannot_be_made_is_not_taken_for_a_missing_member(tmp_path):
    store = Store(tmp_path / "store")
    member = store.put(b"speech", ".wav")
    (tmp_path / "audio").symlink_to(tmp_path / "purged")
    with pytest.raises(OSError, match=f"{tmp_path}/audio"):
        store.link(member, tmp_path / "audio" / "clip.wav")


def _show_in_turn(root: str, member: str, shown: str) -> None:
    store = Store(root)
    for _ in range(1000):
        store.link(member, shown)


def test_two_jobs_that_show_different_members_in_one_place_do_not_fail(tmp_path):
    store = Store(tmp_path / "store")
    members = [store.put(content, ".wav") for content in (b"speech", b"other speech")]
    shown = tmp_path / "audio" / "clip.wav"
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=_show_in_turn, args=(str(store.root), member, str(shown))) for member in members]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0, 0]
    assert [path.name for path in shown.parent.iterdir()] == ["clip.wav"]
