"""Whole attacks on planted models: who is attacked, who is fooled, what is noted, and what a killed job leaves."""

import numpy as np
import pandas as pd
import pytest
import torch

from candor.attack.crafting import Settings
from candor.attack.evaluate import Fooled, Planned, as_trust_ser, results
from candor.attack.job import AttackError
from candor.features.extraction import worthwhile_seconds
from candor.models import audit
from candor.tables.attack import Attacked, AttackResult
from planted_models import CLASSES, InMemory, Pieces, Silencer, clip, job_of, linear_model, planted, signs

EPSILON = 0.1 * 10 ** (-45 / 20)
"""The budget at 45 dB: a step along the weights that is as long."""

FGSM = [Planned("fgsm", "pieces")]


def table(rows, tmp_path) -> pd.DataFrame:
    """Write rows and read them, as the next job does."""
    Attacked.write(rows, tmp_path / "attacked.tsv")
    return Attacked.read(tmp_path / "attacked.tsv")


def attacked(clips, labels, tmp_path, settings=Settings(), model=None, **more) -> pd.DataFrame:  # noqa: B008
    return table(job_of(clips, labels, model or linear_model(), tmp_path, settings, **more).run(), tmp_path)


@pytest.mark.parametrize(
    ("margin", "verdict"), [(0.5 * EPSILON, "beyond control"), (3 * EPSILON, "not beyond control")]
)
def test_a_fragile_model_is_fooled_beyond_the_control_and_a_robust_one_is_not(margin, verdict, tmp_path):
    rows = attacked(*planted(margin), tmp_path)
    (found,) = results(Fooled(rows), FGSM, [45.0]).to_dict("records")
    assert found["verdict"] == verdict
    assert (found["attacked"], found["tested"], found["speakers"]) == (48, 48, 6)
    assert found["realised_snr"] == pytest.approx(45, abs=0.1)
    assert found["clean_accuracy"] == 1
    disjoint = found["low"] > found["control_high"]
    assert disjoint == (verdict == "beyond control")
    assert found["accuracy"] == (0 if disjoint else 1)
    AttackResult.write([found], tmp_path / "summary.tsv")
    assert AttackResult.read(tmp_path / "summary.tsv")["success"].tolist() == [1.0 if disjoint else 0.0]


def test_success_follows_the_ratio(tmp_path):
    """The budget grows by ten decibels' worth, so that more and more margins are within it."""
    snrs = (60.0, 50.0, 40.0, 30.0)
    labels = {f"u{n}": CLASSES[n % 2] for n in range(16)}
    clips = {name: clip(label, EPSILON * 2.0 ** (n / 2 - 3), n) for n, (name, label) in enumerate(labels.items())}
    rows = attacked(clips, labels, tmp_path, Settings(snrs=snrs))
    for snr in snrs:
        budget = EPSILON * 10 ** ((45 - snr) / 20)
        expected = {name for n, name in enumerate(labels) if EPSILON * 2.0 ** (n / 2 - 3) < budget}
        own = rows[(rows["method"] == "fgsm") & (rows["snr"] == snr)]
        assert set(own[own["predicted"] != own["label"]]["utterance"]) == expected


@pytest.mark.parametrize("method", ["fgsm", "pgd", "pgd_momentum"])
def test_batches_change_nothing(method, tmp_path, monkeypatch):
    clips, labels = planted(EPSILON)
    settings = Settings(methods=(method,), snrs=(50.0, 45.0), steps=3, step_size=0.5)
    singly = job_of(clips, labels, linear_model(), tmp_path, settings).run()
    seen = []

    def always(backbone, device, seconds):
        seen.append(worthwhile_seconds(backbone, device, seconds))
        return 2.0

    monkeypatch.setattr(audit, "worthwhile_seconds", always)
    together = job_of(clips, labels, linear_model(), tmp_path, settings).run()
    assert set(seen) == {0.0}
    for one, other in zip(singly, together, strict=True):
        assert one.pop("realised_snr") == pytest.approx(other.pop("realised_snr"), abs=1e-4)
        assert one == other


def test_silence_is_not_attacked_and_a_model_without_gradient_is_not_fooled(tmp_path):
    clips, labels = planted(0.5 * EPSILON)
    clips["u00"] = np.zeros(4000, np.float32)  # what the model takes for neutral, as its label has it
    rows = attacked(clips, labels, tmp_path)
    assert rows[rows["utterance"] == "u00"]["status"].tolist() == ["silent"]
    (found,) = results(Fooled(rows), FGSM, [45.0]).to_dict("records")
    assert (found["silent"], found["attacked"], found["success"]) == (1, 47, 1)
    assert found["accuracy"] == pytest.approx(1 / 48)
    rows = attacked(*planted(0.5 * EPSILON), tmp_path, model=linear_model(Silencer(0 * signs())))
    (found,) = results(Fooled(rows), FGSM, [45.0]).to_dict("records")
    assert (found["no_gradient"], found["attacked"], found["success"]) == (24, 24, 0)
    assert rows[rows["method"] == "fgsm"]["realised_snr"].isna().all()


def test_where_none_was_right_there_is_nothing_to_fool(tmp_path):
    clips, labels = planted(EPSILON)
    wrong = {name: CLASSES[1 - CLASSES.index(label)] for name, label in labels.items()}
    rows = attacked(clips, wrong, tmp_path)
    assert set(rows["status"]) == {"wrong before"}
    (found,) = results(Fooled(rows), FGSM, [45.0]).to_dict("records")
    assert found["verdict"] == "no utterance was right"
    assert found["attacked"] == 0
    assert found["success"] is None
    assert found["accuracy"] == 0
    assert as_trust_ser(Fooled(rows), "fgsm", 45.0)["average"] == {"attack_success_rate": None}


def test_towards_a_target_only_the_others_are_attacked(tmp_path):
    rows = attacked(*planted(0.5 * EPSILON), tmp_path, Settings(target="anger"))
    clean = rows[rows["method"] == "none"]
    assert dict(zip(clean["label"], clean["status"], strict=True)) == {"anger": "is the target", "neutral": "attacked"}
    hit = rows[rows["method"] == "fgsm"]
    assert set(hit["predicted"]) == {"anger"}
    (found,) = results(Fooled(rows), FGSM, [45.0]).to_dict("records")
    assert (found["attacked"], found["success"], found["accuracy"]) == (24, 1, 0.5)
    with pytest.raises(AttackError, match=r"attack\.target is 'fear', but models choose from neutral, anger"):
        attacked(*planted(EPSILON), tmp_path, Settings(target="fear"))


@pytest.mark.parametrize("alike", [True, False])
def test_another_models_gradient_fools_one_that_is_like_it(alike, tmp_path):
    other = signs() if alike else signs() * torch.tensor([1.0, -1.0] * 8)
    lender = InMemory(linear_model(Pieces(other)), "lender")
    clips, labels = planted(0.5 * EPSILON)
    rows = attacked(clips, labels, tmp_path, own_gradient=False, surrogate=lender)
    assert set(rows["method"]) == {"none", "control", "transfer_fgsm"}
    assert set(rows[rows["method"] == "transfer_fgsm"]["source"]) == {"lender"}
    (found,) = results(Fooled(rows), [Planned("transfer_fgsm", "lender")], [45.0]).to_dict("records")
    overlap = float((other * signs()).sum())
    assert found["success"] == (1 if overlap == 16 else 0)


def test_models_that_are_not_the_ones_that_were_trained_are_refused(tmp_path, caplog):
    caplog.set_level("INFO")
    clips, labels = planted(EPSILON)
    job = job_of(clips, labels, linear_model(), tmp_path, Settings())
    stored = job.predictions[1]
    stored.loc[:1, "predicted"] = "sadness"
    job.run()
    assert "of 2 of 48 clean utterances the model of fold 1 and seed 0 on pieces says something else" in caplog.text
    stored.loc[:2, "predicted"] = "sadness"
    with pytest.raises(AttackError, match="says something else of 3 of 48 test utterances than when it was trained"):
        job.run()


def test_a_job_that_is_cut_off_goes_on_and_ends_with_the_same_rows(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(audit, "PART", 10)
    clips, labels = planted(EPSILON)
    aside = tmp_path / "unfinished" / "attack"
    model = linear_model()

    def new(**more):
        return job_of(clips, labels, model, tmp_path, Settings(), aside=aside, **more)

    whole = new(made_of={"of": "another attack"}).run()
    assert len(list(aside.iterdir())) == 5
    job, unchanged, calls = new(), model.forward, []

    def counting(*arguments):
        calls.append(1)
        if len(calls) == 85:  # of 40 for each part
            raise KeyboardInterrupt
        return unchanged(*arguments)

    model.forward = counting
    with pytest.raises(KeyboardInterrupt):
        job.run()
    # One of the two finished parts is damaged meanwhile. What the other attack has left of the rest is not taken up.
    first = sorted(aside.iterdir())[0]
    first.write_text(first.read_text()[:100])
    del calls[:]
    calls.extend([1] * 100)
    assert job.run() == whole
    assert len(calls) == 100 + 48 * 4 - 40
    assert "is damaged" in caplog.text
    assert job.run() == whole
    assert len(calls) == 100 + 48 * 4 - 40, "all is there"
    job.unfinished.remove()
    assert not aside.exists()


def test_what_is_used_of_a_clip_is_what_the_model_was_given(tmp_path):
    clips, labels = planted(0.5 * EPSILON)
    job = job_of(clips, labels, linear_model(), tmp_path, Settings(), seconds=0.2)
    assert {own.clip.samples for own in job.utterances(1)} == {3200}
    assert all(row["predicted"] != row["label"] for row in job.run() if row["method"] == "fgsm")
