"""The figure of what clients hold: every number of the table, for few and for many clients."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from candor.federated.client_figures import APART, clients_figure, colours_of
from candor.figures import save_figure

CLASSES = ["neutral", "anger", "sadness"]


def table(clients, classes=CLASSES):
    random = np.random.default_rng(clients)
    counts = random.integers(0, 9, (clients, len(classes)))
    counts[:, 0] += 2
    total = counts.sum(axis=1)
    dev = np.maximum(1, total // 5)
    rows = pd.DataFrame({"client": [f"s{number:03}" for number in range(clients)], "person": "", "gender": ""})
    rows = rows.assign(session="", train=total - dev, dev=dev)
    return rows.assign(**{f"n_{name}": counts[:, place] for place, name in enumerate(classes)})


def words(figure):
    return " ".join(artist.get_text() for artist in figure.findobj() if isinstance(artist, Text))


@pytest.mark.parametrize("clients", [2, 8, 40, APART])
def test_bars_are_as_long_as_what_clients_hold(clients):
    held = table(clients)
    axes = clients_figure(held, "a run").axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert sorted(names) == held["client"].tolist()
    own = held.set_index("client").loc[names]
    drawn = np.array([[bar.get_width() for bar in bars] for bars in axes.containers])
    assert np.array_equal(drawn.T, own.filter(like="n_").to_numpy())
    amounts = (own["train"] + own["dev"]).tolist()
    assert amounts == sorted(amounts, reverse=True)


def test_numbers_stand_beside_the_bars_and_colours_are_explained():
    held = table(8)
    shown = words(clients_figure(held, "demo: clients"))
    for row in held.itertuples():
        assert f"{row.train} + {row.dev}" in shown
    for name in CLASSES:
        assert f"{name}: {held[f'n_{name}'].sum()}" in shown
    total = held["train"] + held["dev"]
    assert f"8 clients, {total.min()} to {total.max()} examples each, median {total.median():.0f}" in shown
    assert "demo: clients" in shown


def test_many_clients_are_columns_of_a_map():
    held = table(190)
    figure = clients_figure(held, "a run")
    amounts, shares = figure.axes[:2]
    image = shares.get_images()[0].get_array()
    assert image.shape == (3, 190)
    assert np.allclose(image.sum(axis=0), 100)
    heights = {patch.get_label(): patch.get_data().values for patch in amounts.patches}
    assert sorted(heights["to judge models on"], reverse=True) == list(heights["to judge models on"])
    assert sum(heights["to judge models on"]) == (held["train"] + held["dev"]).sum()
    assert sum(heights["to learn from"]) == held["train"].sum()
    expected = held.filter(like="n_").sum(axis=1)
    # The share of a class times the amount is its count: summed up, the table's own.
    assert (image[1] * heights["to judge models on"] / 100).sum() == pytest.approx(held["n_anger"].sum())
    assert expected.sum() == sum(heights["to judge models on"])


def test_thirteen_classes_have_thirteen_colours():
    names = [f"class{number}" for number in range(13)]
    assert len(set(colours_of(names).values())) == 13
    clients_figure(table(10, names), "a run")


def test_long_names_are_told_apart(tmp_path):
    held = table(12).assign(client=[f"a_corpus_with_a_long_name_speaker_{n}_$" for n in range(12)])
    figure = clients_figure(held, "a run")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(set(names)) == 12
    assert max(map(len, names)) <= 25
    save_figure(figure, tmp_path / "clients.png")


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        save_figure(clients_figure(table(70), "a run"), tmp_path / f"{name}.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
