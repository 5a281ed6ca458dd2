from pathlib import Path

import pandas as pd
import pytest

from candor.audio.joining import show_joined
from candor.store.objects import Store, StoreError


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def index(store: Store, **clips: bytes) -> pd.DataFrame:
    return pd.DataFrame(
        {"utterance": name, "file": f"{name}.wav", "member": store.put(data, ".wav"), "samples": len(data)}
        for name, data in clips.items()
    )


def test_wavs_of_all_parts_lie_in_one_folder_and_nothing_is_kept_twice(store, tmp_path):
    parts = {"emodb": index(store, u1=b"one", u2=b"second"), "ravdess": index(store, u1=b"third wav")}
    before = sorted(path.name for path in Path(store.root).rglob("*.wav"))
    rows = show_joined(["emodb__u2", "ravdess__u1"], parts, tmp_path / "audio", store)
    assert [(row["utterance"], row["samples"]) for row in rows] == [("emodb__u2", 6), ("ravdess__u1", 9)]
    assert (tmp_path / "audio" / str(rows[0]["file"])).read_bytes() == b"second"
    assert (tmp_path / "audio" / str(rows[1]["file"])).read_bytes() == b"third wav"
    assert [row["member"] for row in rows] == [parts["emodb"]["member"][1], parts["ravdess"]["member"][0]]
    assert sorted(path.name for path in Path(store.root).rglob("*.wav")) == before


def test_wavs_that_have_left_disappear(store, tmp_path):
    parts = {"a": index(store, u1=b"one", u2=b"two")}
    show_joined(["a__u1", "a__u2"], parts, tmp_path / "audio", store)
    show_joined(["a__u2"], parts, tmp_path / "audio", store)
    assert [path.name for path in (tmp_path / "audio").iterdir()] == ["a__u2.wav"]


def test_a_member_that_is_gone_is_told(store, tmp_path):
    parts = {"a": index(store, u1=b"one")}
    store.path(parts["a"]["member"][0]).unlink()
    with pytest.raises(StoreError, match="is missing"):
        show_joined(["a__u1"], parts, tmp_path / "audio", store)
