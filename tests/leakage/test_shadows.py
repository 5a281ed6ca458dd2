"""Shadow federations begin with the victims' model, are of other people, and survive a kill."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from candor.config.federated import FederatedRun
from candor.federated.defences.registry import treatment_of
from candor.federated.errors import FederatedError
from candor.federated.federation import Federation
from candor.federated.job import FederatedJob
from candor.federated.local import Returned
from candor.federated.rules.averaging import FedAvg
from candor.federated.settings import Settings
from candor.federated.vectors import Layout, Piece
from candor.federated.workloads.prepared import Sources
from candor.leakage.kept import Shadows, Victims, some_of
from candor.leakage.shadow_people import shadow_people
from candor.leakage.shadows import ShadowJob, as_attacker
from candor.leakage.updates import Seen
from candor.store.objects import Store

CLASSES = ["anger", "neutral", "sadness"]
OPTIONS = {
    "num_epochs": 4,
    "hidden_size": [6, 5],
    "batch_size": 4,
    "clients_per_round": 3,
    "keep": {"updates_every": 1, "models_every": 1, "precision": "float32"},
}


def clips(people: int, each: int = 9, labels=CLASSES, name="s") -> pd.DataFrame:
    speakers = [f"{name}{number % people}" for number in range(people * each)]
    return pd.DataFrame(
        {
            "utterance": [f"{name}_u{number:03}" for number in range(len(speakers))],
            "speaker": speakers,
            "gender": ["female" if int(own[1:]) % 2 else "male" for own in speakers],
            "session": "",
            "label": [labels[number // people % len(labels)] for number in range(len(speakers))],
            "part": "train",
        }
    )


def features(store: Store, rows: pd.DataFrame) -> pd.DataFrame:
    buffer = io.BytesIO()
    states = np.random.default_rng(0).standard_normal((len(rows), 1, 2, 7)).astype(np.float32)
    np.save(buffer, states, allow_pickle=False)
    member = store.put(buffer.getvalue(), ".npy")
    return pd.DataFrame({"utterance": rows["utterance"], "member": member, "row": range(len(rows)), "frames": 10})


@pytest.fixture
def everybody(tmp_path):
    """Eight victims, of whom six are clients, in one fold with two who are none, and four people of another corpus."""
    own, others = clips(8), clips(4, name="o", labels=["neutral", "sadness", "boredom"])
    own["part"] = np.where(own["speaker"].isin(["s6", "s7"]), "test", "train")
    store = Store(tmp_path / "store")
    pooled = pd.concat(
        [features(store, own), features(store, others).assign(utterance=lambda t: "x/" + t["utterance"])]
    )
    return SimpleNamespace(own=own, others=others, pooled=pooled, store=store)


def run_shadows(folder, everybody, tables, more=None, models=2, code=""):
    options = FederatedRun(**{**OPTIONS, **(more or {})}).options()
    table = shadow_people(tables, CLASSES)
    sources = Sources(fold=0, table=table, pooled=everybody.pooled, store=everybody.store, classes=CLASSES)
    names = {"dataset": "d", "shadow": "r", "people": "fold1"}
    out = folder / "out"
    files = {"updates": "updates.pack", "index": "updates.tsv", "clients": "clients.tsv", "facts": "shadows.json"}
    output = SimpleNamespace(**{role: str(out / name) for role, name in files.items()})
    job = ShadowJob(names, as_attacker(options), sources, ["x"], models, {}, folder / "aside", code=code)
    job.run_and_write(output)
    return out


def run_victims(folder, everybody, more=None):
    options = FederatedRun(**{**OPTIONS, **(more or {})}).options()
    names = {
        "clients": "clients.tsv", "rounds": "rounds.tsv", "participants": "participants.tsv", "judged": "judged.tsv",
        "timing": "rounds.timing.tsv", "predictions": "predictions.tsv", "run": "run.json", "updates": "updates.pack",
        "updates_index": "updates.tsv", "models": "models.pack", "models_index": "models.tsv",
        "model": "model.safetensors",
    }  # fmt: skip
    output = SimpleNamespace(**{role: str(folder / "run" / name) for role, name in names.items()})
    sources = Sources(fold=1, table=everybody.own, pooled=everybody.pooled, store=everybody.store)
    run = {"dataset": "d", "run": "r", "fold": "1"}
    FederatedJob(run, options, sources, {}, {}, folder / "victims").run_and_write(output)
    return Victims(1, folder / "run")


def test_people_of_other_datasets_have_names_of_their_own_and_the_classes_of_the_victims(everybody):
    rows = shadow_people({"x/": everybody.others}, CLASSES)
    assert set(rows["speaker"]) == {f"x/o{number}" for number in range(4)}
    assert set(rows["label"]) == {"neutral", "sadness"}
    assert set(rows["part"]) == {"train"}
    assert shadow_people({"x/": everybody.others}, ["fear"]).empty


def test_the_first_model_is_the_victims(tmp_path, everybody, monkeypatch):
    victims = run_victims(tmp_path, everybody)
    began = []
    whole = Federation.__init__

    def noting(self, settings, world, *rest):
        began.append(world.start.named(world.layout))
        whole(self, settings, world, *rest)

    monkeypatch.setattr(Federation, "__init__", noting)
    run_shadows(tmp_path, everybody, {"x/": everybody.others})
    first = victims.history.model(0)
    assert len(began) == 2
    for tensors in began:
        assert tensors.keys() == first.keys()
        assert all(np.array_equal(tensors[name].numpy(), first[name]) for name in first)


def test_what_is_read_back_is_what_clients_sent(tmp_path, everybody):
    shadows = Shadows(run_shadows(tmp_path, everybody, {"x/": everybody.others}))
    updates = shadows.updates({"x/o1": None, "x/o2": None})
    assert set(updates.people) == {"x/o1", "x/o2"}
    assert {own.federation for own in updates.seen} == {1, 2}
    layer = run_victims(tmp_path, everybody).layers[0]
    values = updates.rows(layer, range(len(updates)))
    assert values.shape == (len(updates), 6 * 7 + 6)
    assert np.isfinite(values).all()
    assert values.std() > 0
    assert shadows.facts["datasets"] == ["x"]


def test_a_kill_between_federations_loses_none_that_was_done(tmp_path, everybody, monkeypatch):
    whole = run_shadows(tmp_path / "whole", everybody, {"x/": everybody.others}, models=3)
    rounds = []
    real = Federation.round

    def dying(self, number):
        rounds.append(number)
        if len(rounds) == 6:
            raise KeyboardInterrupt
        return real(self, number)

    with monkeypatch.context() as broken:
        broken.setattr(Federation, "round", dying)
        with pytest.raises(KeyboardInterrupt):
            run_shadows(tmp_path / "killed", everybody, {"x/": everybody.others}, models=3)
    assert not (tmp_path / "killed" / "out").exists()
    rounds.clear()
    monkeypatch.setattr(Federation, "round", lambda self, number: rounds.append(number) or real(self, number))
    again = run_shadows(tmp_path / "killed", everybody, {"x/": everybody.others}, models=3)
    assert rounds == [1, 2, 3, 4] * 2
    for name in ("updates.pack", "updates.tsv", "clients.tsv"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name
    assert not (tmp_path / "killed" / "aside").exists()


def test_faults_of_the_victims_do_not_befall_shadows():
    options = FederatedRun(faults={"drop_out": 0.5, "poisoned": 0.2}).options()
    settings = as_attacker(json.loads(json.dumps(options)))
    assert (settings.faults.drop_out, settings.faults.poisoned) == (0, 0)


def test_one_person_makes_no_federation_which_is_told_and_ends_nothing(tmp_path, everybody):
    alone = {"x/": everybody.others[everybody.others["speaker"] == "o1"]}
    shadows = Shadows(run_shadows(tmp_path, everybody, alone))
    assert shadows.people == []
    assert "partition 'speaker' makes 1 client" in shadows.facts["reason"]
    assert (shadows.facts["models"], shadows.facts["updates"]) == (0, 0)


def test_where_fewer_are_there_than_are_asked_for_all_take_part(tmp_path, everybody):
    shadows = Shadows(run_shadows(tmp_path, everybody, {"x/": everybody.others}, {"clients_per_round": 20}, models=1))
    rounds = [own.round for own in shadows.updates(dict.fromkeys(shadows.people)).seen]
    assert [rounds.count(round) for round in (1, 2, 3, 4)] == [4, 4, 4, 4]


DEFENCES = {
    "client_dp": {"kind": "client_dp", "epsilon": 50},
    "local_dp": {"kind": "local_dp", "epsilon": 50},
    "user_dp": {"kind": "user_dp", "epsilon": 10},
}


@pytest.mark.parametrize("kind", DEFENCES)
@pytest.mark.parametrize(("victims", "others"), [(19, 5), (72, 10)])
def test_an_attacker_who_knows_the_defence_meets_noise_as_strong_as_the_victims(kind, victims, others):
    """What is left of an update of nothing is noise."""
    parity = {"parity": "fed-ser-leakage"} if kind == "user_dp" else {}
    run = FederatedRun(defence=DEFENCES[kind], clients_per_round=0.3, num_epochs=20, **parity)
    layout = Layout((Piece("dense.0.weight", (200, 100), 0),), (), ())

    def noise(treatment, number):
        found = []
        for round in range(1, 15):
            if not (chosen := treatment.begin(list(range(number)), round)):
                continue
            none = torch.empty(len(chosen), 0)
            nothing = torch.zeros(len(chosen), layout.size)
            sent = Returned(chosen, nothing, none, none, [20] * len(chosen), [1] * len(chosen))
            found += treatment.treat(sent, round).updates.std(dim=1).tolist()
        return np.sqrt(np.mean(np.square(found)))

    own = treatment_of(Settings.of(run.options()), layout, victims)
    expected, facts = noise(own, victims), {"clients": victims, "defence": own.facts("")}
    settings = as_attacker(run.options(), facts)
    theirs = treatment_of(settings, layout, others)
    told = []
    for round in range(1, 15):
        if theirs.begin(list(range(others)), round):
            told.append(theirs.deviation(20))
    assert np.sqrt(np.mean(np.square(told))) == pytest.approx(expected, rel=0.2)
    assert settings.num_epochs == (20 if kind == "user_dp" else own.rounds)


@pytest.mark.parametrize("kind", DEFENCES)
def test_noise_does_as_much_to_a_shadow_model_as_to_the_victims(kind):
    """What becomes of updates of nothing is the noise on the model's step."""
    parity = {"parity": "fed-ser-leakage"} if kind == "user_dp" else {}
    run = FederatedRun(defence=DEFENCES[kind], clients_per_round=0.5, num_epochs=30, **parity)
    layout = Layout((Piece("dense.0.weight", (200, 100), 0),), (), ())

    def noise(settings, number):
        treatment, rule, found = treatment_of(settings, layout, number), FedAvg(settings, layout), []
        for round in range(1, 13):
            chosen = treatment.begin(list(range(number)), round)
            gathered = treatment.gather(rule, round)
            if chosen:
                none, nothing = torch.empty(len(chosen), 0), torch.zeros(len(chosen), layout.size)
                sent = Returned(chosen, nothing, none, none.long(), [20] * len(chosen), [1] * len(chosen))
                gathered.add(treatment.treat(sent, round))
                found.append(float(gathered.combined().parameters.std()))
        return np.sqrt(np.mean(np.square(found))), treatment

    expected, own = noise(Settings.of(run.options()), 40)
    found, _ = noise(as_attacker(run.options(), {"clients": 40, "defence": own.facts("")}), 8)
    assert found == pytest.approx(expected, rel=0.12)


def test_a_federation_that_fails_on_its_way_leaves_the_others_as_they_are(tmp_path, everybody, monkeypatch):
    whole = Shadows(run_shadows(tmp_path / "whole", everybody, {"x/": everybody.others}, models=3))
    real, rounds = Federation.round, []

    def failing(self, number):
        rounds.append(number)
        if len(rounds) == 6:
            raise FederatedError("the model has left the numbers")
        return real(self, number)

    monkeypatch.setattr(Federation, "round", failing)
    shadows = Shadows(run_shadows(tmp_path / "failed", everybody, {"x/": everybody.others}, models=3))
    people = dict.fromkeys(shadows.people)
    assert (shadows.facts["models"], shadows.facts["reason"]) == (2, "")
    assert {own.federation for own in shadows.updates(people).seen} == {1, 3}
    left = [own for own in whole.updates(people).seen if own.federation != 2]
    assert shadows.updates(people).seen == left
    layer = run_victims(tmp_path, everybody).layers[0]
    places = [place for place, own in enumerate(whole.updates(people).seen) if own.federation != 2]
    expected = whole.updates(people).rows(layer, places)
    np.testing.assert_array_equal(shadows.updates(people).rows(layer, range(len(left))), expected)


def test_of_many_updates_every_client_keeps_some():
    seen = [Seen(1, round, f"c{client}", f"c{client}", 1, 1, (1,)) for round in range(1, 101) for client in range(8)]
    drawn = some_of(seen, 400)
    assert len(drawn) == 400
    assert drawn == sorted(drawn, key=seen.index)
    counts = [sum(own.client == f"c{client}" for own in drawn) for client in range(8)]
    assert min(counts) > 30
    assert some_of(seen, 900) == some_of(seen, None) == seen


@pytest.mark.parametrize("kind", DEFENCES)
def test_noised_updates_are_kept_as_they_were_before_and_can_be_had_as_they_were_sent(tmp_path, everybody, kind):
    parity = {"parity": "fed-ser-leakage"} if kind == "user_dp" else {}
    more = {"defence": {**DEFENCES[kind], "epsilon": 2, "clip": 0.5}, **parity}
    layer = run_victims(tmp_path, everybody).layers[0]
    shadows = Shadows(run_shadows(tmp_path / "own", everybody, {"x/": everybody.others}, more, models=1))
    updates = shadows.updates(dict.fromkeys(shadows.people))
    first = [place for place, own in enumerate(updates.seen) if own.round == 1]
    if kind != "user_dp":  # whose clip is of gradients
        for own in updates.seen:
            sent = [shadows.tensor(own, name).ravel() for name in shadows.facts["layers"]]
            assert np.linalg.norm(np.concatenate(sent)) <= 0.5 * (1 + 1e-5)
    if kind == "local_dp":
        without = Shadows(run_shadows(tmp_path / "plain", everybody, {"x/": everybody.others}, models=1))
        for place in first:  # the first model has not been noised yet, so that clients learn the same
            own, twin = (np.ravel(of.tensor(updates.seen[place], "dense.0.weight")) for of in (shadows, without))
            assert np.corrcoef(own, twin)[0, 1] > 0.9999
    assert updates.lack_noise
    sent = updates.as_sent()
    for place in first:
        before, after = (own.read(layer, place) for own in (updates, sent))
        kept = np.concatenate([shadows.tensor(updates.seen[place], name).ravel() for name in layer.tensors])
        to_gradient = np.nanmedian(np.abs(before / kept))
        assert (after - before).std() / to_gradient == pytest.approx(updates.seen[place].noise, rel=0.4)
