"""Membership by the loss, against scikit-learn; a model that has learned its utterances by heart is found out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from candor.privacy.contests import Contest, Contests
from candor.privacy.membership import chance_of, contests_of, curve_rows, member_rows, membership_rows
from candor.stats.clustering import clusters
from candor.tables.privacy import MemberLosses
from privacy.crowds import folds, manifest


def losses(apart: float, seeds=(0,), noise=1.0) -> pd.DataFrame:
    """Return what models lose that lose so much less on what they were trained on."""
    table, rows, random = manifest(speakers=24), [], np.random.default_rng(0)
    for fold, own in folds(table).items():
        for seed in seeds:
            member = (own["part"] == "train").to_numpy()
            lost = 5.0 + random.normal(0, noise, len(own)) - apart * member
            rows += member_rows(fold, seed, own, clusters(own), lost)
    return pd.DataFrame(rows)


def through_a_file(rows, tmp_path):
    MemberLosses.write(rows, tmp_path / "losses.tsv")
    return MemberLosses.read(tmp_path / "losses.tsv")


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_figures_are_means_over_models_of_those_of_scikit_learn(seeds, tmp_path):
    rows = through_a_file(losses(0.7, seeds), tmp_path)
    assert set(rows.groupby(["fold", "seed"]).size()) == {192}  # dev is left out
    areas, hits = [], []
    for _, own in rows.groupby(["fold", "seed"]):
        member = own["member"] == "yes"
        areas.append(roc_auc_score(member, -own["loss"]))
        alarms, found, _ = roc_curve(member, -own["loss"], drop_intermediate=False)
        hits.append(np.interp(0.01, alarms + 1e-12 * np.arange(len(alarms)), found))
    area, tpr = membership_rows(*contests_of(rows))
    assert (area["metric"], tpr["metric"]) == ("auc", "tpr")
    assert area["value"] == pytest.approx(np.mean(areas))
    assert tpr["value"] == pytest.approx(np.mean(hits), abs=1e-6)
    assert (area["chance"], tpr["chance"]) == (0.5, pytest.approx(1 / 97)), "each model has 96 others"
    assert area["low"] < area["value"] < area["high"]
    assert area["utterances"] == 288  # each is tested once, whatever the number of seeds
    assert (area["speakers"], area["folds"]) == (24, 3)
    curve = pd.DataFrame(curve_rows(*contests_of(rows))).set_index("false_alarms")
    assert curve.loc[0.01, ["hits", "low", "high", "control"]].tolist() == [
        tpr[name] for name in ("value", "low", "high", "control")
    ]
    assert curve["hits"].is_monotonic_increasing
    assert curve.loc[1.0, "hits"] == 1.0


@pytest.mark.parametrize("others", [[20], [99], [100], [160], [30, 250]])
def test_chance_of_hits_is_what_losses_without_meaning_give(others):
    """By simulation, with scikit-learn's curve; single models weigh as many as their others."""
    random, found = np.random.default_rng(5), []
    for number in others:
        member = np.repeat([True, False], [400, number])
        draws = []
        for _ in range(500):
            alarms, hits, _ = roc_curve(member, random.normal(size=len(member)), drop_intermediate=False)
            draws.append(hits[alarms <= 0.01].max())
        found.append(np.mean(draws))
    contests = Contests()
    for fold, number in enumerate(others):
        member = np.repeat([True, False], [400, number])
        codes = np.zeros(len(member), dtype=int)
        contests.each.append(Contest.of(codes.astype(float), member, [], codes, codes, ~member, fold))
    assert chance_of("tpr", contests) == pytest.approx(np.average(found, weights=others), rel=0.12)
    assert chance_of("auc", contests) == 0.5


def test_what_was_learned_by_heart_is_found_and_the_control_is_not():
    area, tpr = membership_rows(*contests_of(losses(5.0, noise=0.1)))
    assert (area["value"], tpr["value"]) == (1.0, 1.0)
    assert area["verdict"] == tpr["verdict"] == "beyond control"
    assert area["control_low"] <= 0.5 <= area["control_high"]


def test_a_model_that_loses_alike_on_all_gives_nothing_away():
    area, _ = membership_rows(*contests_of(losses(0.0)))
    assert area["low"] <= 0.5 <= area["high"]
    assert area["verdict"] == "not beyond control"
