import os
import shutil
import time

import pytest

from candor import cli
from candor.store.objects import Store, StoreError
from candor.store.upkeep import collect_garbage, register, verify
from candor.tables.audio import AudioIndex


@pytest.fixture
def lab(tmp_path):
    """A store, two projects that share it, and a member that none of them lists."""
    store = Store(tmp_path / "store")
    for name, clips in {"one": ["a", "b"], "two": ["b", "c"]}.items():
        register(store, tmp_path / name)
        rows = []
        for clip in clips:
            member = store.put(clip.encode(), ".wav")
            with store.ledger("audio") as ledger:
                ledger.put(f"key of {clip}", member)
            rows.append({"utterance": clip, "file": f"{clip}.wav", "member": member, "samples": 1})
        AudioIndex.write(rows, tmp_path / name / "audio" / "demo" / "index.tsv")
    orphan = store.put(b"orphan", ".wav")
    for path in (tmp_path / "store" / "objects").rglob("*.wav"):
        os.utime(path, (time.time() - 1e6,) * 2)
    return tmp_path, store, orphan


def test_a_sound_store_is_said_to_be_sound(lab, capsys):
    folder, store, _ = lab
    assert verify(store).whole == 4
    with pytest.raises(SystemExit) as end:
        cli.main(["store", "verify", "--store", str(folder / "store")])
    assert end.value.code == 0
    assert "4 whole, 0 damaged, 0 missing" in capsys.readouterr().out


def test_repair_removes_the_damaged_member_and_the_indexes_that_need_it(lab, capsys):
    folder, store, _ = lab
    member = store.put(b"a", ".wav")
    store.path(member).chmod(0o644)
    store.path(member).write_bytes(b"x")
    store.path(store.put(b"c", ".wav")).unlink()
    with pytest.raises(SystemExit) as end:
        cli.main(["store", "verify", "--store", str(folder / "store")])
    assert end.value.code == 1
    said = capsys.readouterr().out
    assert "1 damaged, 1 missing" in said
    assert (folder / "one/audio/demo/index.tsv").exists()
    findings = verify(store, repair=True)
    assert findings.damaged == [member]
    assert not (folder / "one/audio/demo/index.tsv").exists()
    assert not (folder / "two/audio/demo/index.tsv").exists()
    assert not store.path(member).exists()


def test_clean_up_frees_what_no_project_lists_and_nothing_else(lab):
    folder, store, orphan = lab
    assert collect_garbage(store, days=1, dry=True).members == 1
    assert store.intact(orphan)
    freed = collect_garbage(store, days=1, dry=False)
    assert (freed.members, freed.kept) == (1, 3)
    assert not store.path(orphan).exists()
    assert len(store.ledger("audio").items()) == 3
    (folder / "one/audio/demo/index.tsv").unlink()
    assert collect_garbage(store, days=1, dry=False).members == 1  # only `a`; `two` still needs `b`
    assert set(store.ledger("audio").items()) == {"key of b", "key of c"}


def test_clean_up_spares_what_a_running_job_has_just_made(lab):
    _, store, _ = lab
    fresh = store.put(b"fresh", ".wav")
    collect_garbage(store, days=1, dry=False)
    assert store.intact(fresh)


def test_clean_up_takes_away_what_a_killed_job_left_unfinished(lab, capsys):
    folder, store, _ = lab
    part = folder / "store" / "incoming" / "tmp1.part"
    part.write_bytes(b"half a cl")
    assert collect_garbage(store, days=1, dry=False).unfinished == 0  # a job may be writing it
    assert part.exists()
    assert collect_garbage(store, days=0, dry=True).unfinished == 1
    assert part.exists()
    with pytest.raises(SystemExit):
        cli.main(["store", "gc", "--days", "0", "--store", str(store.root)])
    assert "0 members and 1 unfinished files (0.0 MB) removed, 3 kept" in capsys.readouterr().out
    assert not part.exists()


def test_clean_up_refuses_while_a_project_cannot_be_seen(lab, capsys):
    folder, store, _ = lab
    shutil.rmtree(folder / "two")
    with pytest.raises(StoreError, match="cannot see"):
        collect_garbage(store, days=1, dry=False)
    with pytest.raises(SystemExit) as end:
        cli.main(["store", "gc", "--store", str(folder / "store"), "--days", "1", "--forget", str(folder / "two")])
    assert end.value.code == 0
    assert "2 members" in capsys.readouterr().out


def test_a_wrong_folder_is_not_taken_for_a_store(tmp_path):
    with pytest.raises(SystemExit, match="is no store"):
        cli.main(["store", "verify", "--store", str(tmp_path)])


def test_clean_up_after_a_repair_spares_what_the_removed_index_listed(lab):
    """One damaged member of an index must not cost the others: its rule is to run again."""
    folder, store, _ = lab
    store.path(store.put(b"a", ".wav")).unlink()
    verify(store, repair=True)
    assert not (folder / "one/audio/demo/index.tsv").exists()
    collect_garbage(store, days=30, dry=False)
    assert store.intact(store.put(b"b", ".wav"))
    assert collect_garbage(store, days=30, dry=True).members == 0


def test_clean_up_spares_what_a_job_uses_whose_index_snakemake_has_removed(lab):
    folder, store, _ = lab
    (folder / "one/audio/demo/index.tsv").unlink()
    member = store.put(b"a", ".wav")
    os.utime(store.path(member), (time.time() - 1e7,) * 2)
    store.note_use("the audio job of project one", [member])
    assert collect_garbage(store, days=30, dry=False).members == 0
    for note in (store.root / "uses").iterdir():
        os.utime(note, (time.time() - 1e7,) * 2)
    assert collect_garbage(store, days=30, dry=False).members == 1
    assert not store.path(member).exists()


def test_a_broken_note_of_a_project_stops_the_clean_up(lab):
    _, store, _ = lab
    next((store.root / "projects").iterdir()).write_text("")
    with pytest.raises(StoreError, match="names no project"):
        collect_garbage(store, days=1, dry=False)


def test_the_store_is_that_of_the_config(lab, monkeypatch, capsys):
    folder, _, _ = lab
    (folder / "config").mkdir()
    (folder / "config" / "config.yml").write_text(f"project_dir: elsewhere\nstore_dir: {folder / 'store'}\n")
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as end:
        cli.main(["store", "verify"])
    assert end.value.code == 0
    assert "4 whole" in capsys.readouterr().out
    (folder / "config" / "config.yml").write_text("project_dir: elsewhere\n")
    with pytest.raises(SystemExit, match="elsewhere/store is no store"):
        cli.main(["store", "verify"])
