"""The files of a backbone come whole or not at all, from where the user has them, and stay what they were."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from candor.backbones.download import Patience
from candor.backbones.fetching import Hub, fetch, fetch_checkpoint, fetch_model
from candor.backbones.weights import CHECKPOINT, WeightsError, identity, verify
from candor.config.backbones import S3prl, Transformers
from candor.tables.backbones import Weights

BODY = bytes(range(256)) * 40
COMMIT = "5" * 40


@dataclass
class Answer:
    """What the server says once: `cut` ends the connection after so many bytes, `whole` sends no parts of a file."""

    body: bytes = BODY
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"v1"'})
    cut: int | None = None
    whole: bool = False


class Server(ThreadingHTTPServer):
    """Answers as it is told; the last answer for a path is repeated."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def say(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return f"{self.address}{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that hangs up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """Serves parts of a file as RFC 9110 says: only of the version that is asked for."""

    server: Server
    refused: ClassVar[Answer] = Answer(b"", 404, {})

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        queue = self.server.answers.get(self.path, [self.refused])
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        start, status, headers = 0, answer.status, dict(answer.headers)
        wanted = self.headers.get("Range")
        if wanted and status == 200 and not answer.whole and self.headers.get("If-Range") == headers.get("ETag"):
            start, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            headers["Content-Range"] = f"bytes {start}-{len(answer.body) - 1}/{len(answer.body)}"
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body) - start))
        self.end_headers()
        self.wfile.write(answer.body[start : None if answer.cut is None else start + answer.cut])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    return Patience(waits=(1.0, 2.0, 4.0), timeout=5.0, sleep=waits.append)


@pytest.fixture
def hub(server: Server, tmp_path: Path) -> Hub:
    return Hub(server.address, tmp_path / "cache", token=None, closed="")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backbones" / "apc" / Weights.FOLDER


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def table(rows: list[dict[str, Any]], folder: Path) -> pd.DataFrame:
    """Return the rows as a later job reads them."""
    Weights.write(rows, folder.parent / "weights.tsv")
    return Weights.read(folder.parent / "weights.tsv")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


# One file from an address


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


def test_a_local_file_takes_no_room_of_its_own(folder: Path, tmp_path: Path, hub: Hub) -> None:
    own = tmp_path / "mine.pt"
    own.write_bytes(BODY)
    fetch_checkpoint("apc", str(own), None, folder, hub=hub)
    linked = (folder / CHECKPOINT).stat().st_nlink == 2
    shared = own.stat().st_nlink == 1  # blocks are shared, or the file system can neither
    assert linked or shared
    assert (folder / CHECKPOINT).read_bytes() == BODY


def test_a_file_that_cannot_be_linked_is_copied(
    folder: Path, tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    own = tmp_path / "mine.pt"
    own.write_bytes(BODY)
    monkeypatch.setattr("os.link", refuse)
    fetch_checkpoint("apc", str(own), sha256(BODY), folder, hub=hub)
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


# A model of several files


def put_on_hub(server: Server, files: dict[str, bytes], revision: str = "main", model: str = "org/wav") -> None:
    """Let the server be a hub with one model at one commit; weights are large files there."""
    siblings: list[dict[str, Any]] = [{"rfilename": file, "size": len(data)} for file, data in files.items()]
    for sibling, data in zip(siblings, files.values(), strict=True):
        if sibling["rfilename"].endswith((".safetensors", ".bin")):
            sibling["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 135}
    listing = json.dumps({"id": model, "sha": COMMIT, "siblings": siblings}).encode()
    server.say(f"/api/models/{model}/revision/{revision}?blobs=true", Answer(listing, headers={}))
    for file, data in files.items():
        server.say(f"/{model}/resolve/{COMMIT}/{file}", Answer(data))


MODEL = {
    ".gitattributes": b"*.bin lfs",
    "README.md": b"# Model",
    "config.json": b'{"model_type": "wav2vec2"}',
    "preprocessor_config.json": b'{"do_normalize": true}',
    "model.safetensors": BODY,
    "pytorch_model.bin": BODY[::-1],
    "tf_model.h5": BODY,
    "flax_model.msgpack": BODY,
    "tokenizer.json": b"{}",
}
NEEDED = ["config.json", "model.safetensors", "preprocessor_config.json"]


def put_in_cache(cache: Path, files: dict[str, bytes], model: str = "org/wav") -> None:
    """Lay out files as huggingface_hub keeps them."""
    home = cache / f"models--{model.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    (home / "blobs").mkdir()
    snapshot = home / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for file, data in files.items():
        blob = home / "blobs" / sha256(data)
        blob.write_bytes(data)
        (snapshot / file).symlink_to(blob)


def test_the_server_of_these_tests_is_a_hub_to_the_library_of_the_hub(
    server: Server, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi, constants, hf_hub_url, scan_cache_dir

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    put_on_hub(server, MODEL)
    told = HfApi(endpoint=server.address, token=False).model_info("org/wav", revision="main", files_metadata=True)
    large = {file.rfilename: file.lfs.sha256 for file in told.siblings or [] if file.lfs}
    assert told.sha == COMMIT
    assert large == {file: sha256(MODEL[file]) for file in ("model.safetensors", "pytorch_model.bin")}
    address = hf_hub_url("org/wav", "config.json", revision=COMMIT, endpoint=server.address)
    assert address.removeprefix(server.address) in server.answers
    put_in_cache(hub.cache, MODEL)
    (kept,) = scan_cache_dir(hub.cache).repos
    assert {revision.commit_hash for revision in kept.revisions} == {COMMIT}


def test_only_what_is_needed_of_a_model_comes(server: Server, hub: Hub, folder: Path, patience: Patience) -> None:
    put_on_hub(server, MODEL)
    rows = fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert files(folder) == NEEDED
    assert all((folder / file).read_bytes() == MODEL[file] for file in NEEDED)
    assert {row["revision"] for row in rows} == {COMMIT}
    assert len(server.asked) == 1 + len(NEEDED)
    verify(folder, table(rows, folder))


def test_a_tag_with_a_slash_is_one_revision(server: Server, hub: Hub, folder: Path, patience: Patience) -> None:
    put_on_hub(server, MODEL, revision="refs%2Fpr%2F3")
    rows = fetch_model("wav", "org/wav", "refs/pr/3", folder, None, hub, patience)
    assert {row["revision"] for row in rows} == {COMMIT}


def test_a_large_model_comes_in_parts(server: Server, hub: Hub, folder: Path, patience: Patience) -> None:
    parts = {f"model-0000{n}-of-00002.safetensors": BODY[n:] for n in (1, 2)}
    index = {"model.safetensors.index.json": json.dumps({"weight_map": {}}).encode()}
    config = {"config.json": MODEL["config.json"]}
    put_on_hub(server, config | index | parts | {"pytorch_model.bin": BODY})
    fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert files(folder) == sorted([*config, *index, *parts])
    put_on_hub(server, config | index | {"model-00001-of-00002.safetensors": BODY})
    with pytest.raises(WeightsError, match=r"the 00002 parts that model\.safetensors\.index\.json lists"):
        fetch_model("wav", "org/wav", "main", folder, None, hub, patience)


def test_files_of_the_former_weights_do_not_stay(server: Server, hub: Hub, folder: Path, patience: Patience) -> None:
    put_on_hub(server, MODEL)
    fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    put_on_hub(server, {file: data for file, data in MODEL.items() if file != "model.safetensors"})
    fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert files(folder) == ["config.json", "preprocessor_config.json", "pytorch_model.bin"]


def test_what_an_unfinished_run_has_brought_of_another_version_does_not_stay(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    put_on_hub(server, MODEL)
    server.say(f"/org/wav/resolve/{COMMIT}/model.safetensors", Answer(cut=500), Answer(status=503))
    with pytest.raises(WeightsError, match="503"):
        fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    put_on_hub(server, {"config.json": b"{}", "pytorch_model.bin": BODY})
    fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert files(folder) == ["config.json", "pytorch_model.bin"]


def test_a_damaged_part_of_a_model_is_refused(server: Server, hub: Hub, folder: Path, patience: Patience) -> None:
    put_on_hub(server, MODEL)
    server.say(f"/org/wav/resolve/{COMMIT}/model.safetensors", Answer(BODY[:-1] + b"x"))
    with pytest.raises(WeightsError, match=f"must be {sha256(BODY)}"):
        fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert not folder.exists()


def test_what_an_unfinished_run_has_brought_does_not_come_again(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    parts = {f"model-0000{n}-of-00002.safetensors": BODY[n:] for n in (1, 2)}
    large = {"config.json": b"{}", "model.safetensors.index.json": b"{}"} | parts
    put_on_hub(server, large)
    second = f"/org/wav/resolve/{COMMIT}/model-00002-of-00002.safetensors"
    server.say(second, Answer(status=404))
    with pytest.raises(WeightsError, match="nothing at this address"):
        fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    put_on_hub(server, large)
    server.asked.clear()
    fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert second in server.paths()
    assert f"/org/wav/resolve/{COMMIT}/model-00001-of-00002.safetensors" not in server.paths()


def test_a_copy_in_the_cache_of_the_hub_saves_the_download(
    server: Server, hub: Hub, folder: Path, patience: Patience
) -> None:
    put_on_hub(server, MODEL)
    put_in_cache(hub.cache, {file: MODEL[file] for file in NEEDED})
    fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert f"/org/wav/resolve/{COMMIT}/model.safetensors" not in server.paths()
    assert (folder / "model.safetensors").read_bytes() == BODY
    assert not (folder / "model.safetensors").is_symlink()


@pytest.mark.parametrize("closed", ["", "HF_HUB_OFFLINE is set"])
def test_the_cache_of_the_hub_serves_where_no_network_is(
    server: Server, tmp_path: Path, folder: Path, patience: Patience, waits: list[float], closed: str
) -> None:
    server.server_close()
    put_in_cache(tmp_path / "cache", MODEL)
    hub = Hub(server.address, tmp_path / "cache", None, closed)
    rows = fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert files(folder) == NEEDED
    assert {row["revision"] for row in rows} == {COMMIT}
    assert bool(waits) == (not closed)


def test_half_a_model_in_the_cache_is_none(server: Server, hub: Hub, folder: Path, patience: Patience) -> None:
    server.server_close()
    put_in_cache(hub.cache, {"config.json": b"{}"})
    with pytest.raises(WeightsError) as error:
        fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    for word in ("org/wav", "revision main", "refused", "config.json", "model.safetensors", "wav/", "weights_dir"):
        assert word in str(error.value)


@pytest.mark.parametrize("place", ["wav", "org/wav"])
def test_the_offline_folder_may_be_called_as_the_model(
    server: Server, hub: Hub, folder: Path, tmp_path: Path, patience: Patience, place: str
) -> None:
    own = tmp_path / "weights" / place
    own.mkdir(parents=True)
    for file, data in MODEL.items():
        (own / file).write_bytes(data)
    rows = fetch_model("wav", "org/wav", "main", folder, tmp_path / "weights", hub, patience)
    assert server.asked == []
    assert files(folder) == NEEDED
    assert {row["revision"] for row in rows} == {""}
    verify(folder, table(rows, folder))


def test_a_model_may_be_a_folder(folder: Path, tmp_path: Path, hub: Hub) -> None:
    own = tmp_path / "ours"
    own.mkdir()
    (own / "config.json").write_bytes(b"{}")
    with pytest.raises(WeightsError, match=r"ours has no model.safetensors or pytorch_model.bin"):
        fetch_model("wav", str(own), "main", folder, None, hub)
    (own / "pytorch_model.bin").write_bytes(BODY)
    fetch_model("wav", str(own), "main", folder, None, hub)
    assert files(folder) == ["config.json", "pytorch_model.bin"]


@pytest.mark.parametrize(("model", "words"), [("/no/such", "there is no folder"), ("a/b/c", "nor a name on the hub")])
def test_a_model_that_cannot_be_is_named(folder: Path, hub: Hub, model: str, words: str) -> None:
    with pytest.raises(WeightsError, match=rf"backbones.wav.model: .*{words}"):
        fetch_model("wav", model, "main", folder, None, hub)


@pytest.mark.parametrize("status", [401, 404])
def test_a_model_that_is_not_on_the_hub_says_so(
    server: Server, hub: Hub, folder: Path, patience: Patience, waits: list[float], status: int
) -> None:
    server.say("/api/models/org/wav/revision/main?blobs=true", Answer(b"", status, {}))
    with pytest.raises(WeightsError, match=rf"org/wav \(revision main\) cannot be fetched: .*HTTP {status}"):
        fetch_model("wav", "org/wav", "main", folder, None, hub, patience)
    assert waits == []


def test_an_entry_of_the_config_says_where_its_files_are(folder: Path, tmp_path: Path) -> None:
    for place in ("wav/config.json", "wav/model.safetensors", "apc/apc.ckpt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(BODY)
    checkpoint = S3prl(upstream="apc", checkpoint="https://example.org/apc.ckpt", sha256=sha256(BODY))
    fetch("apc", checkpoint.model_dump(), folder, tmp_path)
    assert files(folder) == [CHECKPOINT]
    fetch("wav", Transformers(model="org/wav").model_dump(), folder, tmp_path)
    assert files(folder) == ["config.json", "model.safetensors"]


# Whether they are still what came


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file.write_bytes(BODY[1:]), "has changed: .* bytes instead of"),
        (lambda file: file.write_bytes(BODY[::-1]), "has changed: its SHA-256"),
        (lambda file: file.unlink(), "is missing"),
        (lambda file: file.with_name("other.ckpt").write_bytes(BODY), "does not belong there"),
    ],
)
def test_a_change_is_noticed_and_says_what_to_do(
    folder: Path, tmp_path: Path, hub: Hub, change: Any, words: str
) -> None:
    own = tmp_path / "mine.pt"
    own.write_bytes(BODY)
    rows = table(fetch_checkpoint("apc", str(own), None, folder, None, hub), folder)
    own.unlink()
    verify(folder, rows)
    change(folder / CHECKPOINT)
    with pytest.raises(WeightsError, match=rf"{words}.*delete {folder.parent}"):
        verify(folder, rows)
