"""The files of a model come together, from a folder, the hub or the hub's cache, and no others."""

import json
from pathlib import Path
from typing import Any

import pytest

from backbones.file_server import BODY, COMMIT, Answer, Server, files, sha256, table
from candor.backbones.download import Patience
from candor.backbones.hub import Hub, fetch_model
from candor.backbones.weights import WeightsError, verify


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
