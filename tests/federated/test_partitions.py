"""Who holds what: every example once, as unlike as asked, the same on every machine."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from candor.federated.errors import FederatedError
from candor.federated.held import held
from candor.federated.partitions.partition import among_people, clients_of
from candor.federated.settings import Settings

LABELS = ["neutral", "anger", "sadness"]
KINDS = ["speaker", "speaker_shards", "session", "dirichlet", "quantity", "iid"]


def corpus(speakers=6, each=25, seed=0):
    """Speakers in pairs of a woman and a man, each pair in a session of its own."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "speaker": f"s{person:02}",
            "gender": "female" if person % 2 else "male",
            "session": f"dyad{person // 2}",
            "label": LABELS[random.integers(len(LABELS))],
        }
        for person in range(speakers)
        for _ in range(each)
    )


def dealt(rows, numbers, kind, **more):
    return clients_of(rows, numbers, kind, Settings(**{"clients": 7, "shards": 4, **more}))


@pytest.fixture(scope="module")
def rows():
    return corpus()


@pytest.fixture(scope="module")
def numbers(rows):
    """All but the last speaker's examples: those are the test's."""
    return [number for number, speaker in enumerate(rows["speaker"]) if speaker != "s05"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_is_held_once_and_none_of_the_test(rows, numbers, kind):
    clients = dealt(rows, numbers, kind)
    holdings = [number for client in clients for number in client.train + client.dev]
    assert sorted(holdings) == numbers
    assert len({client.name for client in clients}) == len(clients) >= 2
    assert all(client.train for client in clients)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.95])
def test_a_client_keeps_the_share_asked_for_to_judge_models_on(rows, numbers, kind, share):
    for client in dealt(rows, numbers, kind, validation=share):
        count = len(client.train) + len(client.dev)
        if count == 1:
            assert not client.dev
        else:
            # As published, what is learned from is rounded down; but never to nothing.
            assert len(client.train) == max(1, int(round((1 - share) * count, 9)))
            assert client.dev


def test_a_speaker_is_a_client_and_a_session_is(rows, numbers):
    by_speaker = dealt(rows, numbers, "speaker")
    assert [client.name for client in by_speaker] == [f"s{n:02}" for n in range(5)]
    for client in by_speaker:
        assert set(rows["speaker"].iloc[list(client.train + client.dev)]) == {client.name} == {client.person}
    by_session = dealt(rows, numbers, "session")
    assert [client.name for client in by_session] == ["dyad0", "dyad1", "dyad2"]
    assert [client.person for client in by_session] == ["", "", "s04"], "of the last dyad one speaker is tested"


def test_shards_are_of_one_speaker_each_and_of_one_size(rows, numbers):
    shards = dealt(rows, numbers, "speaker_shards", shards=10)
    assert [client.name for client in shards[:11]] == [*(f"s00_{n}" for n in range(10)), "s01_0"]
    sizes = Counter(len(client.train) + len(client.dev) for client in shards)
    assert sizes == {3: 25, 2: 25}, "25 clips in ten shards are five of three and five of two"
    for client in shards:
        assert set(rows["speaker"].iloc[list(client.train + client.dev)]) == {client.person}
    few = dealt(rows, numbers[:3] + numbers[25:28], "speaker_shards", shards=10)
    assert [client.name for client in few] == ["s00_0", "s00_1", "s00_2", "s01_0", "s01_1", "s01_2"]
    assert not any(client.dev for client in few)


def test_dealt_evenly_clients_differ_by_one_at_most(rows, numbers):
    sizes = [len(client.train) + len(client.dev) for client in dealt(rows, numbers, "iid", clients=7)]
    assert max(sizes) - min(sizes) == 1


def unlikeness(clients, labels):
    """How far the labels of clients are from those of all, by total variation, weighted by their examples."""
    kinds = sorted(set(labels))
    total = np.array([labels.count(kind) for kind in kinds]) / len(labels)
    apart, count = 0.0, 0
    for client in clients:
        own = [labels[number] for number in client.train + client.dev]
        shares = np.array([own.count(kind) for kind in kinds]) / len(own)
        apart += len(own) * np.abs(shares - total).sum() / 2
        count += len(own)
    return apart / count


def test_the_smaller_the_concentration_the_more_labels_differ():
    rows = corpus(20, 100)
    everyone, labels = range(len(rows)), rows["label"].tolist()
    measured = {
        concentration: np.mean(
            [
                unlikeness(dealt(rows, everyone, "dirichlet", concentration=concentration, seed=seed), labels)
                for seed in range(5)
            ]
        )
        for concentration in (1000, 10, 1, 0.1)
    }
    apart = list(measured.values())
    assert apart == sorted(apart), measured
    assert apart[0] < 0.05 < 0.45 < apart[-1], measured
    even = np.mean([unlikeness(dealt(rows, everyone, "iid", seed=seed), labels) for seed in range(5)])
    amounts = np.mean(
        [unlikeness(dealt(rows, everyone, "quantity", concentration=0.5, seed=seed), labels) for seed in range(5)]
    )
    assert max(even, amounts) < 0.1, "amounts differ, labels do not"


@pytest.mark.parametrize("concentration", [0.3, 2.0])
def test_shares_of_a_class_vary_as_those_of_a_dirichlet_distribution_do(concentration):
    # Of K clients a share has the variance (K - 1) / (K² (K α + 1)).
    clients, classes, each = 5, 300, 400
    rows = pd.DataFrame({"speaker": "", "session": "", "label": np.repeat([f"c{n}" for n in range(classes)], each)})
    made = dealt(rows, range(len(rows)), "dirichlet", clients=clients, concentration=concentration)
    table = pd.DataFrame(held(made, rows.assign(gender=""), [f"c{n}" for n in range(classes)]))
    shares = table.filter(like="n_").to_numpy() / each
    expected = (clients - 1) / (clients**2 * (clients * concentration + 1))
    assert np.var(shares) == pytest.approx(expected, rel=0.1)


def test_amounts_vary_as_those_of_a_dirichlet_distribution_do():
    rows = corpus(10, 300)
    shares = [
        (len(client.train) + len(client.dev)) / len(rows)
        for seed in range(200)
        for client in dealt(rows, range(len(rows)), "quantity", clients=5, concentration=1.0, seed=seed)
    ]
    assert np.var(shares) == pytest.approx(4 / (25 * 6), rel=0.1)


@pytest.mark.parametrize("kind", ["dirichlet", "quantity"])
@pytest.mark.parametrize("concentration", [1e-12, 0.01, 0.5])
def test_nobody_goes_without_however_unlike_clients_are(rows, numbers, kind, concentration):
    clients = dealt(rows, numbers, kind, clients=60, concentration=concentration)
    assert len(clients) == 60
    assert all(client.train and client.dev for client in clients)


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_deals_otherwise_and_the_order_of_numbers_does_not(rows, numbers, kind):
    first = dealt(rows, numbers, kind)
    assert dealt(rows, numbers[::-1], kind) == first
    assert dealt(rows, numbers, kind, seed=9) != first


def test_what_a_speaker_keeps_does_not_depend_on_who_else_takes_part(rows, numbers):
    everyone = {client.name: client for client in dealt(rows, numbers, "speaker_shards")}
    fewer = dealt(rows, numbers[50:], "speaker_shards")
    assert fewer == [everyone[client.name] for client in fewer]


HERE = os.path.dirname(__file__)
PRINTED = """
from test_partitions import KINDS, corpus, dealt
rows = corpus()
print([dealt(rows, range(len(rows)), kind) for kind in KINDS])
"""


def test_nothing_depends_on_how_python_hashes():
    def said(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([HERE, *sys.path])}
        return subprocess.run(
            [sys.executable, "-c", PRINTED], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert said("1") == said("2") != ""


def test_auto_is_speakers_where_there_are_many_or_each_says_little_else_shards():
    assert among_people("auto", corpus(40, 200), 10) == "speaker"
    assert among_people("auto", corpus(39, 200), 10) == "speaker_shards"
    assert among_people("auto", corpus(39, 199), 10) == "speaker"
    assert among_people("auto", corpus(39, 199), 9) == "speaker_shards"
    unknown = pd.concat([corpus(39, 200), pd.DataFrame({"speaker": [""]})])
    assert among_people("auto", unknown, 10) == "speaker_shards", "blank is nobody's name"
    assert among_people("iid", corpus(40, 1), 10) == "iid"


def refusal(rows, numbers, kind, **more):
    with pytest.raises(FederatedError) as refused:
        dealt(rows, numbers, kind, **more)
    return str(refused.value)


@pytest.mark.parametrize("kind", ["speaker", "speaker_shards"])
def test_clips_of_unknown_speakers_are_counted_and_refused(rows, numbers, kind):
    some = rows.assign(speaker=rows["speaker"].where(rows.index > 2, ""))
    said = refusal(some, numbers, kind)
    assert said.startswith(f"partition '{kind}' needs the speaker of every clip, but 3 of 125 have none.")
    assert said.endswith("Set it to session, iid, dirichlet or quantity")
    assert len(dealt(some, numbers, "iid")) == 7


def test_sessions_that_are_not_there_are_refused(rows, numbers):
    said = refusal(rows.assign(session=""), numbers, "session")
    assert "needs the session of every clip, but 125 of 125 have none" in said


def test_too_many_and_too_few_clients_are_refused(rows, numbers):
    said = refusal(rows, numbers, "iid", clients=63)
    assert said == "clients is 63, but 125 examples are enough for 62 of 2 each; set it lower"
    assert refusal(rows, numbers, "dirichlet", clients=200).startswith("clients is 200")
    assert refusal(rows, numbers, "quantity", clients=1).endswith("Set clients to 2 or more")
    said = refusal(rows, numbers[:25], "speaker")
    assert said.startswith("partition 'speaker' makes 1 client of 25 examples, but a federation has two at least")


def test_the_table_tells_what_is_in_train_and_dev_together(rows, numbers):
    clients = dealt(rows, numbers, "session")
    table = pd.DataFrame(held(clients, rows, LABELS)).set_index("client")
    assert list(table["gender"]) == ["", "", "male"], "who holds data of both has none"
    assert list(table["session"]) == list(table.index)
    own = rows.iloc[numbers].groupby(["session", "label"]).size()
    for session, label in own.index:
        assert table.loc[session, f"n_{label}"] == own[session, label]
    assert (table["train"] + table["dev"]).tolist() == [50, 50, 25]
    other = pd.DataFrame(held([replace(clients[0], dev=())], rows, LABELS)).iloc[0]
    assert (other["dev"], other.filter(like="n_").sum()) == (0, other["train"])
