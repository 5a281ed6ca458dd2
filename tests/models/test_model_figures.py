"""Pictures of trainings: what is drawn is what the tables say."""

import numpy as np
import pandas as pd

from candor.figures import save_figure
from candor.models.figures import curves_figure, layers_figure


def history() -> pd.DataFrame:
    rows = []
    for fold in (1, 2):
        for seed in (0, 1):
            for epoch in range(1, 11 - seed):
                chosen = "yes" if epoch == 7 else "no"
                rows.append(
                    {
                        "fold": fold,
                        "seed": seed,
                        "epoch": epoch,
                        "train_loss": 1 / epoch,
                        "dev_loss": 1 / epoch + 0.1,
                        "dev_score": 0.5 + epoch / 30,
                        "selected": chosen,
                    }
                )
    return pd.DataFrame(rows)


def test_curves_show_every_training_their_mean_and_the_epochs_that_are_kept(tmp_path):
    figure = curves_figure(history(), "demo: apc, cnn", "UAR")
    losses, scores = figure.axes
    assert len(losses.lines) == 2 * (4 + 1)
    assert scores.get_title(loc="left") == "UAR on dev"
    (kept,) = [line for line in scores.lines if line.get_label() == "selected"]
    assert set(kept.get_xdata()) == {7}
    for name in ("a.png", "b.png"):
        save_figure(curves_figure(history(), "demo: apc, cnn", "UAR"), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_layers_show_the_mean_weight_and_every_model(tmp_path):
    generator = np.random.default_rng(0)
    rows = [
        {"fold": fold, "seed": seed, "layer": layer, "weight": weight}
        for fold in (1, 2)
        for seed in (0, 1)
        for layer, weight in enumerate(generator.dirichlet(np.ones(4)))
    ]
    table = pd.DataFrame(rows)
    (axes,) = layers_figure(table, "demo: apc, cnn").axes
    means = table.groupby("layer")["weight"].mean()
    assert np.allclose([bar.get_height() for bar in axes.patches], means)
    save_figure(layers_figure(table, "demo: apc, cnn"), tmp_path / "layers.png")
