import json
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from candor.made_of import file_hash
from candor.tables.base import TableError, write_json
from candor.tables.federated import (
    RUN_SCHEMA,
    ClientsHeld,
    FederatedPredictions,
    Judged,
    ModelIndex,
    Participants,
    Rounds,
    StandaloneModels,
    UpdateIndex,
    standalone_tensor,
)
from candor.tables.federated_history import Entry, FederatedHistory
from candor.tables.packing import PackWriter

CLIENTS = ["0071", "Ses01F_3", "Ses01F/3"]
CHOSEN = {1: ["Ses01F_3", "0071"], 2: ["0071"], 4: ["0071", "Ses01F/3", "Ses01F_3"]}
SHAPES = {"dense.0.weight": (6, 9), "dense.0.bias": (6,), "dense.1.weight": (2, 6)}


class Sent:
    """A fold's folder, and what was written to it."""

    def __init__(self, folder, precision="float32"):
        rng = np.random.default_rng(1)
        self.folder = folder
        self.updates = {
            (round, client): {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
            for round, clients in CHOSEN.items()
            for client in clients
        }
        self.models = {
            round: {
                **{name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()},
                "norm.num_batches_tracked": np.array(3 * round),
            }
            for round in (0, 2, 4)
        }
        write_tables(folder)
        with PackWriter(folder / "updates.pack", precision) as pack:
            UpdateIndex.write(
                [
                    {
                        "round": round,
                        "client": client,
                        "layer": layer,
                        **pack.append(values).cells(),
                        "examples": 10 * round + len(client),
                        "steps": round,
                    }
                    for (round, client), update in self.updates.items()
                    for layer, values in update.items()
                ],
                folder / "updates.tsv",
            )
        with PackWriter(folder / "models.pack", "float32") as pack:
            ModelIndex.write(
                [
                    {"round": round, "layer": layer, **pack.append(values).cells()}
                    for round, model in self.models.items()
                    for layer, values in model.items()
                ],
                folder / "models.tsv",
            )
        save_file(self.models[4], folder / "model.safetensors")
        self.alone = {
            client: {"dense.1.weight": np.full((2, 6), place, np.float32)} for place, client in enumerate(CLIENTS)
        }
        save_file(
            {
                standalone_tensor(client, name): values
                for client, own in self.alone.items()
                for name, values in own.items()
            },
            folder / "standalone.safetensors",
        )
        kept = [folder / name for name in ("model.safetensors", "standalone.safetensors")]
        files = {file.name: file_hash(str(file)) for file in kept}
        facts = {"schema": RUN_SCHEMA, "settings": {"model_type": "fed_avg"}, "files": files}
        write_json(facts, folder / "run.json")


def write_tables(folder):
    clients = [
        {"client": name, "person": "", "gender": "", "session": "", "train": 8, "dev": 2, "poisoned": "no"}
        for name in CLIENTS
    ]
    ClientsHeld.write([own | {"n_angry": 4, "n_sad": 6} for own in clients], folder / "clients.tsv")
    counts = dict.fromkeys(["chosen", "answered", "examples", "bytes_down", "bytes_up"], 1)
    blank = dict.fromkeys(["train_loss", "dev_loss", "dev_accuracy", "dev_uar", "clients_uar"], "")
    rounds = [{"round": n, **counts, **blank, "rejected": 0, "update_norm": 0, "selected": "no"} for n in range(1, 5)]
    Rounds.write(rounds, folder / "rounds.tsv")
    answers = {"outcome": "answered", "examples": 8, "steps": 1, "train_loss": 0.5, "update_norm": 0.1, "share": 0.5}
    took_part = [{"round": n, "client": client, **answers} for n, chosen in CHOSEN.items() for client in chosen]
    Participants.write(took_part, folder / "participants.tsv")
    Judged.write([], folder / "judged.tsv")
    who = {"utterance": "a", "speaker": "", "gender": "", "session": "", "fold": 1, "seed": 8}
    said = {"label": "sad", "predicted": "sad", "p_angry": 0.25, "p_sad": 0.75}
    FederatedPredictions.write([who | said], folder / "predictions.tsv")
    figures = {"round": 3, "examples": 2, "accuracy": 0.5, "uar": 0.5, "federated_accuracy": 1, "federated_uar": 1}
    StandaloneModels.write([{"client": name, **figures} for name in CLIENTS], folder / "standalone.tsv")


@pytest.fixture
def sent(tmp_path):
    return Sent(tmp_path / "fold1")


def same(found, expected):
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_every_update_comes_back_with_the_work_behind_it(sent):
    history = FederatedHistory(sent.folder)
    assert history.layers == list(SHAPES)
    assert list(history.updates()) == list(sent.updates)
    for (round, client), update in sent.updates.items():
        same(history.update(round, client), update)
        same(history.update(round, client, "dense.0.bias"), {"dense.0.bias": update["dense.0.bias"]})
        assert history.entry(round, client) == Entry(round, client, 10 * round + len(client), round)


def test_models_come_back_with_their_buffers(sent):
    history = FederatedHistory(sent.folder)
    assert history.model_rounds == list(sent.models)
    for round, model in sent.models.items():
        same(history.model(round), model)
    assert history.model(4)["norm.num_batches_tracked"].dtype == np.int64
    final = history.final()
    same(final, {name: sent.models[4][name] for name in final})
    assert set(final) == set(sent.models[4])
    for client, own in sent.alone.items():
        same(history.standalone(client), own)


def test_tables_and_facts_are_read(sent):
    history = FederatedHistory(sent.folder)
    assert history.clients["client"].tolist() == CLIENTS
    assert history.rounds["round"].tolist() == [1, 2, 3, 4]
    assert history.participants["client"].tolist() == [client for chosen in CHOSEN.values() for client in chosen]
    assert history.judged.empty
    assert history.predictions["p_sad"].tolist() == [0.75]
    assert history.standalone_models["round"].tolist() == [3, 3, 3]
    assert history.facts["settings"] == {"model_type": "fed_avg"}


def test_one_layer_of_all_updates_comes_as_one_array(sent):
    stacked, index = FederatedHistory(sent.folder).stack("dense.0.weight")
    expected = np.stack([update["dense.0.weight"] for update in sent.updates.values()])
    np.testing.assert_array_equal(stacked, expected)
    assert stacked.dtype == np.float32
    assert list(zip(index["round"], index["client"], strict=True)) == list(sent.updates)
    assert index["examples"].tolist() == [10 * round + len(client) for round, client in sent.updates]
    assert index["steps"].tolist() == [round for round, _ in sent.updates]


def test_a_stack_of_some_rounds_and_clients_holds_these_alone(sent):
    history = FederatedHistory(sent.folder)
    stacked, index = history.stack("dense.1.weight", rounds=range(2, 5), clients=iter(["0071", "Ses01F/3"]))
    wanted = [(2, "0071"), (4, "0071"), (4, "Ses01F/3")]
    assert list(zip(index["round"], index["client"], strict=True)) == wanted
    np.testing.assert_array_equal(stacked, np.stack([sent.updates[key]["dense.1.weight"] for key in wanted]))
    with pytest.raises(TableError, match="keeps no update of these rounds and clients"):
        history.stack("dense.1.weight", rounds=[3])


def test_a_stack_takes_little_more_memory_than_itself(tmp_path):
    fold = Sent(tmp_path).folder
    values = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)
    with PackWriter(fold / "updates.pack", "float16") as pack:
        cells = [pack.append(values).cells() for _ in range(60)]
    of = {"client": "0071", "layer": "w", "examples": 8, "steps": 1}
    UpdateIndex.write([{"round": n, **of, **own} for n, own in enumerate(cells, 1)], fold / "updates.tsv")
    history = FederatedHistory(fold)
    history.stack("w", rounds=[1])  # what is loaded once for all
    tracemalloc.start()
    stacked, _ = history.stack("w")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < stacked.nbytes + 8 * values.nbytes


@pytest.mark.parametrize(
    ("precision", "off", "alike"), [("float16", 5e-4, 0.9999), ("int8", 1 / 253, 0.9999), ("int4", 1 / 13.9, 0.99)]
)
def test_updates_kept_in_fewer_bits_stay_near(tmp_path, precision, off, alike):
    sent = Sent(tmp_path, precision)
    history = FederatedHistory(tmp_path)
    for (round, client), update in sent.updates.items():
        for name, found in history.update(round, client).items():
            assert np.abs(found - update[name]).max() <= off * np.abs(update[name]).max()
            cosine = (found * update[name]).sum() / np.linalg.norm(found) / np.linalg.norm(update[name])
            assert cosine > alike


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda history: history.update(3, "0071"), "keeps no update of client 0071 in round 3"),
        (lambda history: history.entry(2, "Ses01F/3"), "keeps no update of client Ses01F/3 in round 2"),
        (
            lambda history: history.update(1, "0071", "dense.0"),
            "keeps no updates of 'dense.0'; it keeps those of dense.0.weight, dense.0.bias, dense.1.weight",
        ),
        (lambda history: history.stack("dense.9.weight"), "keeps no updates of 'dense.9.weight'"),
        (lambda history: history.model(1), "keeps no model of round 1; it keeps those of rounds 0, 2, 4"),
        (lambda history: history.standalone("Ses01F"), "keeps no standalone model of client Ses01F"),
    ],
)
def test_asking_for_what_is_not_kept_is_answered_with_what_is(sent, ask, said):
    with pytest.raises(TableError, match=said):
        ask(FederatedHistory(sent.folder))


@pytest.mark.parametrize(
    ("left_out", "ask", "said"),
    [
        (["updates.tsv", "updates.pack"], lambda history: next(history.updates()), "updates_every: 1"),
        (["models.tsv", "models.pack"], lambda history: history.model(2), "models_every: 10"),
        (["standalone.tsv", "standalone.safetensors"], lambda history: history.standalone("0071"), "standalone: true"),
        (["model.safetensors"], lambda history: history.final(), "save_model: true"),
    ],
)
def test_a_run_that_keeps_less_says_how_to_keep_more(sent, left_out, ask, said):
    for name in left_out:
        (sent.folder / name).unlink()
    history = FederatedHistory(sent.folder)
    assert len(history.rounds) == 4
    with pytest.raises(TableError, match=f"is not kept; set `.*{said}"):
        ask(history)


@pytest.mark.parametrize(
    "name", ["run.json", "clients.tsv", "rounds.tsv", "participants.tsv", "judged.tsv", "predictions.tsv"]
)
def test_what_every_run_has_must_be_there(sent, name):
    (sent.folder / name).unlink()
    with pytest.raises(TableError, match=f"{name} is missing"):
        FederatedHistory(sent.folder)


@pytest.mark.parametrize("name", ["updates.tsv", "updates.pack", "models.tsv", "models.pack", "standalone.safetensors"])
def test_a_pack_without_its_index_and_the_other_way_round_are_refused(sent, name):
    (sent.folder / name).unlink()
    with pytest.raises(TableError, match=f"{name} is missing, but .* is there"):
        FederatedHistory(sent.folder)


@pytest.mark.parametrize("table", [ClientsHeld, Rounds, Participants, FederatedPredictions, UpdateIndex, ModelIndex])
def test_another_version_is_refused_at_once(sent, table):
    path = sent.folder / Path(table.path).name
    path.write_text(path.read_text().replace(table.schema(), f"{table.name}/99"))
    with pytest.raises(TableError, match=f"{path.name}: holds {table.name}/99, but {table.schema()} is needed"):
        FederatedHistory(sent.folder)


def test_another_table_in_its_place_is_refused(sent):
    shutil.copy(sent.folder / "rounds.tsv", sent.folder / "judged.tsv")
    with pytest.raises(TableError, match="holds rounds/1, but judged/1 is needed"):
        FederatedHistory(sent.folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps({"schema": "federated_run/0"}), f"holds federated_run/0, but {RUN_SCHEMA} is needed"),
        ("{}", "does not hold the facts"),
        ("[1]", "does not hold the facts"),
        ('{"schema": "fed', "does not hold the facts"),
    ],
)
def test_facts_of_another_kind_are_refused(sent, text, said):
    (sent.folder / "run.json").write_text(text)
    with pytest.raises(TableError, match=said):
        FederatedHistory(sent.folder)


def test_a_pack_that_is_not_that_of_its_index_is_refused(sent):
    with (sent.folder / "updates.pack").open("ab") as handle:
        handle.write(b"more")
    with pytest.raises(TableError, match=r"updates.pack has \d+ bytes, but its index tells of \d+"):
        FederatedHistory(sent.folder).update(1, "0071")


def test_a_damaged_model_file_is_refused(sent):
    (sent.folder / "model.safetensors").write_bytes(b"no model")
    with pytest.raises(TableError, match=r"model.safetensors is not as it was written"):
        FederatedHistory(sent.folder).final()


def test_a_run_in_which_no_update_came_in_a_kept_round_is_read(sent):
    (sent.folder / "updates.pack").write_bytes(b"")
    UpdateIndex.write([], sent.folder / "updates.tsv")
    history = FederatedHistory(sent.folder)
    assert (list(history.updates()), history.layers) == ([], [])
    with pytest.raises(TableError, match="keeps no updates of 'w'; it keeps those of no layer"):
        history.stack("w")


def test_whoever_reads_a_history_needs_no_torch(sent):
    script = (
        "import sys\nfrom candor.tables.federated_history import FederatedHistory\n"
        "history = FederatedHistory(sys.argv[1])\n"
        "history.stack('dense.0.weight'), history.model(2), history.final(), history.standalone('0071')\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(sent.folder)], check=True)


def test_what_the_index_says_can_be_read_by_any_program(sent):
    rows = pd.read_csv(sent.folder / "updates.tsv", sep="\t", dtype={"client": str})
    assert rows.loc[0, ["round", "client", "layer", "shape", "precision"]].tolist() == [
        1,
        "Ses01F_3",
        "dense.0.weight",
        "6x9",
        "float32",
    ]
    assert rows["offset"].tolist() == [0, *rows["size"].cumsum().tolist()[:-1]]
