"""One file of a backbone comes whole or not at all, from where the user has it."""

import socket
import threading
from pathlib import Path

import pytest

from backbones.file_server import BODY, COMMIT, Answer, Server, files, sha256, table
from candor.backbones.download import Patience
from candor.backbones.fetching import fetch, fetch_checkpoint
from candor.backbones.hub import Hub
from candor.backbones.weights import CHECKPOINT, WeightsError, identity, verify
from candor.config.backbones import S3prl, Transformers
from candor.tables.backbones import Weights

# From an address


def test_a_checkpoint_comes_and_its_row_says_what_it_is(
    server: Server, hub: Hub, folder: Path, patience: Patience, waits: list[float]
) -> None:
    address = server.say("/m/resolve/main/apc_360hr.ckpt", Answer())
    (row,) = fetch_checkpoint("apc", address, sha256(BODY), folder, hub=hub, patience=patience)
    assert (folder / CHECKPOINT).read_bytes() == BODY
    assert row == {
        "file": CHECKPOINT,
        "bytes": len(BODY),
        "sha256": sha256(BODY),
        "source": address,
        "revision": "v1",
    }
    verify(folder, table([row], folder))
    assert files(folder) == [CHECKPOINT]
    assert files(folder.parent) == [Weights.FOLDER, "weights.tsv"]
    assert waits == []


def test_a_cut_connection_is_taken_up_where_it_stopped(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    address = server.say("/apc.ckpt", Answer(cut=4000), Answer(cut=3000), Answer())
    fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert (folder / CHECKPOINT).read_bytes() == BODY
    assert [headers.get("Range") for _, headers in server.asked] == [None, "bytes=4000-", "bytes=7000-"]


def test_tries_that_bring_a_file_further_do_not_count(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    address = server.say("/apc.ckpt", *[Answer(cut=1000)] * 9, Answer())
    fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert (folder / CHECKPOINT).read_bytes() == BODY


def test_a_later_run_takes_up_what_an_earlier_one_left(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    address = server.say("/apc.ckpt", Answer(cut=4000), Answer(status=503))
    with pytest.raises(WeightsError, match="503"):
        fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert not folder.exists()
    server.asked.clear()
    server.say("/apc.ckpt", Answer())
    fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert (folder / CHECKPOINT).read_bytes() == BODY
    assert server.asked[0][1]["Range"] == "bytes=4000-"


@pytest.mark.parametrize("second", [Answer(BODY[::-1], headers={"ETag": '"v2"'}), Answer(BODY[::-1], whole=True)])
def test_two_versions_are_never_spliced(
    server: Server, hub: Hub, folder: Path, patience: Patience, second: Answer
) -> None:
    address = server.say("/apc.ckpt", Answer(cut=4000), second)
    fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert (folder / CHECKPOINT).read_bytes() == BODY[::-1]


def test_what_is_left_of_another_address_is_not_gone_on_with(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    first = server.say("/old.ckpt", Answer(cut=4000), Answer(status=503))
    with pytest.raises(WeightsError):
        fetch_checkpoint("apc", first, None, folder, hub=hub, patience=patience)
    second = server.say("/new.ckpt", Answer(BODY[::-1]))
    fetch_checkpoint("apc", second, None, folder, hub=hub, patience=patience)
    assert (folder / CHECKPOINT).read_bytes() == BODY[::-1]


def test_waits_grow_and_the_server_may_set_them(
    server: Server, hub: Hub, folder: Path, patience: Patience, waits: list[float]
) -> None:
    busy = Answer(b"", 503, {})
    address = server.say("/apc.ckpt", busy, busy, Answer(b"", 429, {"Retry-After": "17"}), Answer())
    fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert waits == [1.0, 2.0, 17.0]


def test_patience_ends(server: Server, hub: Hub, folder: Path, patience: Patience, waits: list[float]) -> None:
    address = server.say("/apc.ckpt", Answer(b"", 503, {}))
    with pytest.raises(WeightsError, match=r"HTTP 503 Service Unavailable, in 4 tries"):
        fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert len(server.asked) == 4
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(("status", "words"), [(404, "nothing at this address"), (401, "HF_TOKEN"), (403, "licence")])
def test_what_will_not_pass_is_not_tried_again(
    server: Server, hub: Hub, folder: Path, patience: Patience, waits: list[float], status: int, words: str
) -> None:
    address = server.say("/apc.ckpt", Answer(b"", status, {}))
    with pytest.raises(WeightsError, match=words):
        fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert len(server.asked) == 1
    assert waits == []


def test_a_server_that_is_not_known_is_not_asked_again(
    hub: Hub, folder: Path, patience: Patience, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(WeightsError, match="its server is not known here"):
        fetch_checkpoint("apc", "https://example.org/apc.ckpt", None, folder, None, hub, patience)
    assert waits == []


def test_a_wrong_hash_names_both_and_keeps_nothing(server: Server, hub: Hub, folder: Path, patience: Patience) -> None:
    address = server.say("/apc.ckpt", Answer())
    with pytest.raises(WeightsError) as error:
        fetch_checkpoint("apc", address, "0" * 64, folder, hub=hub, patience=patience)
    assert "0" * 64 in str(error.value)
    assert sha256(BODY) in str(error.value)
    assert not folder.exists()
    assert files(folder.with_name(f"{Weights.FOLDER}.part")) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b"<!DOCTYPE html><p>Log in", headers={"Content-Type": "text/html; charset=utf-8"}), "web page"),
        (Answer(b"\n<html><p>Log in"), "web page"),
        (Answer(b"version https://git-lfs.github.com/spec/v1\noid sha256:00"), "git-lfs"),
        (Answer(b""), "empty"),
    ],
)
def test_an_impostor_is_refused(
    server: Server, hub: Hub, folder: Path, patience: Patience, answer: Answer, words: str
) -> None:
    address = server.say("/apc.ckpt", answer)
    with pytest.raises(WeightsError, match=words):
        fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert not folder.exists()
    assert len(server.asked) == 1


def test_the_hub_tells_commit_and_hash_before_it_points_elsewhere(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    elsewhere = server.say("/blob", Answer())
    told = {"Location": elsewhere, "X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{sha256(BODY)}"'}
    address = server.say("/m/resolve/main/apc.ckpt", Answer(b"", 302, told))
    (row,) = fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert row["revision"] == COMMIT
    server.say("/blob", Answer(BODY[::-1]))
    with pytest.raises(WeightsError, match=f"must be {sha256(BODY)}"):
        fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert (folder / CHECKPOINT).read_bytes() == BODY, "what was there before must stay"


def test_the_token_goes_to_the_hub_alone(server: Server, tmp_path: Path, folder: Path, patience: Patience) -> None:
    hub = Hub(server.address, tmp_path, token="hf_secret", closed="")
    with Server() as other:
        threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
        elsewhere = other.say("/blob", Answer())
        address = server.say("/m/resolve/main/apc.ckpt", Answer(b"", 302, {"Location": elsewhere}))
        fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
        fetch_checkpoint("apc", elsewhere, None, folder, hub=hub, patience=patience)
        other.shutdown()
    assert server.asked[0][1]["Authorization"] == "Bearer hf_secret"
    assert len(other.asked) == 2
    assert all("Authorization" not in headers for _, headers in other.asked)


def test_addresses_of_the_public_hub_are_asked_of_its_mirror(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    server.say("/m/resolve/main/apc.ckpt", Answer())
    address = "https://huggingface.co/m/resolve/main/apc.ckpt"
    (row,) = fetch_checkpoint("apc", address, None, folder, hub=hub, patience=patience)
    assert row["source"] == f"{server.address}/m/resolve/main/apc.ckpt"


# Files of the user's


@pytest.mark.parametrize("place", ["apc/apc_360hr.ckpt", "apc/renamed.pt", "apc_360hr.ckpt"])
def test_the_offline_folder_goes_first(
    server: Server, hub: Hub, folder: Path, tmp_path: Path, patience: Patience, place: str
) -> None:
    own = tmp_path / "weights" / place
    own.parent.mkdir(parents=True)
    own.write_bytes(BODY)
    address = f"{server.address}/m/resolve/main/apc_360hr.ckpt"
    rows = fetch_checkpoint("apc", address, sha256(BODY), folder, tmp_path / "weights", hub, patience)
    assert server.asked == []
    assert (folder / CHECKPOINT).read_bytes() == BODY
    assert [row["source"] for row in rows] == [str(own)]
    own.unlink()  # the copy stands on its own
    verify(folder, table(rows, folder))


def test_the_same_bytes_are_the_same_weights_wherever_they_came_from(
    server: Server, hub: Hub, folder: Path, tmp_path: Path, patience: Patience
) -> None:
    own = tmp_path / "mine.pt"
    own.write_bytes(BODY)
    address = server.say("/apc_360hr.ckpt", Answer())
    fetched = identity(table(fetch_checkpoint("apc", address, None, folder, None, hub, patience), folder))
    local = identity(table(fetch_checkpoint("apc", str(own), None, folder, None, hub, patience), folder))
    assert fetched == local
    own.write_bytes(BODY[1:])
    assert identity(table(fetch_checkpoint("apc", str(own), None, folder, None, hub, patience), folder)) != local


def test_what_becomes_of_a_users_file_does_not_touch_what_was_taken_from_it(
    folder: Path, tmp_path: Path, hub: Hub
) -> None:
    own = tmp_path / "mine.pt"
    own.write_bytes(BODY)
    fetch_checkpoint("apc", str(own), sha256(BODY), folder, hub=hub)
    with own.open("r+b") as handle:
        handle.write(b"other")
    assert (folder / CHECKPOINT).read_bytes() == BODY
    assert files(folder) == [CHECKPOINT]


def test_without_network_and_folder_the_error_names_both(
    server: Server, hub: Hub, folder: Path, tmp_path: Path, patience: Patience
) -> None:
    server.server_close()  # nobody listens any more
    address = f"{server.address}/m/resolve/main/apc_360hr.ckpt"
    with pytest.raises(WeightsError) as bare:
        fetch_checkpoint("apc", address, None, folder, None, hub, patience)
    for word in ("backbones: apc", address, "refused", "put apc_360hr.ckpt into apc/", "weights_dir"):
        assert word in str(bare.value)
    (tmp_path / "weights").mkdir()
    with pytest.raises(WeightsError) as known:
        fetch_checkpoint("apc", address, None, folder, tmp_path / "weights", hub, patience)
    assert f"put apc_360hr.ckpt into {tmp_path / 'weights' / 'apc'}" in str(known.value)


@pytest.mark.parametrize(("held", "words"), [(["a.pt", "b.pt"], "a.pt, b.pt"), (["notes.md"], "nothing")])
def test_a_folder_with_no_telling_checkpoint_is_refused(
    folder: Path, tmp_path: Path, hub: Hub, held: list[str], words: str
) -> None:
    own = tmp_path / "weights" / "apc"
    own.mkdir(parents=True)
    for file in held:
        (own / file).write_bytes(BODY)
    with pytest.raises(WeightsError, match=f"must hold one checkpoint.*{words}"):
        fetch_checkpoint("apc", "https://example.org/apc.ckpt", None, folder, tmp_path / "weights", hub)


@pytest.mark.parametrize("source", ["/nowhere/apc.ckpt", "nowhere.ckpt"])
def test_a_missing_file_or_folder_is_named(folder: Path, tmp_path: Path, hub: Hub, source: str) -> None:
    with pytest.raises(WeightsError, match=rf"backbones.apc.checkpoint: there is no file '{source}'"):
        fetch_checkpoint("apc", source, None, folder, hub=hub)
    with pytest.raises(WeightsError, match="weights_dir: there is no folder"):
        fetch_checkpoint("apc", "https://example.org/a.ckpt", None, folder, tmp_path / "gone", hub)


def test_an_entry_of_the_config_says_where_its_files_are(folder: Path, tmp_path: Path) -> None:
    for place in ("wav/config.json", "wav/model.safetensors", "apc/apc.ckpt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(BODY)
    checkpoint = S3prl(upstream="apc", checkpoint="https://example.org/apc.ckpt", sha256=sha256(BODY))
    fetch("apc", checkpoint.model_dump(), folder, tmp_path)
    assert files(folder) == [CHECKPOINT]
    fetch("wav", Transformers(model="org/wav").model_dump(), folder, tmp_path)
    assert files(folder) == ["config.json", "model.safetensors"]
