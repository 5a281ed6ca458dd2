"""Success, gaps, figures and texts from rows whose answers are known."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from candor.attack.breakdown import breakdown
from candor.attack.evaluate import Fooled, Planned, as_trust_ser, headline, results
from candor.attack.examples import as_wav, choose
from candor.attack.figures import curve_figure, groups_figure, systems_figure
from candor.attack.job import AttackError
from candor.attack.overview import all_systems, headline_title
from candor.attack.show import attack_text
from candor.fairness.groups import Asked
from candor.figures import save_figure
from candor.stats.confusions import accuracy
from candor.stats.intervals import speaker_interval
from candor.tables.attack import AttackBreakdown, Attacked, AttackResult, AttackSummary
from candor.unfinished import Unfinished

SNRS = (50.0, 40.0)
PLANNED = [Planned("fgsm", "apc")]
ASKED = Asked(["gender", "speaker"], min_utterances=5)


def attacked(
    right=0.8, seeds=(0,), fooled=lambda person, snr, random: random.random() < 0.5, label=None
) -> pd.DataFrame:
    """Return what eight speakers' twelve utterances each became, of which so many were right."""
    random, rows = np.random.default_rng(0), []
    for seed in seeds:
        for person in range(8):
            for number in range(12):
                true = ["neutral", "anger", "sadness"][number % 3]
                hit = random.random() < right
                other = {"neutral": "anger", "anger": "sadness", "sadness": "neutral"}[true]
                row = {
                    "utterance": f"u{person}_{number:02}", "speaker": f"s{person}", "session": "",
                    "gender": "female" if person % 2 else "male", "fold": 1 + person // 4, "seed": seed, "target": "",
                    "source": "", "snr": None, "realised_snr": None, "clipped": None,
                    "label": label(random) if label else true, "before": true if hit else other,
                }  # fmt: skip
                wrong = row["before"] != row["label"]
                rows.append(
                    {
                        **row,
                        "method": "none",
                        "predicted": row["before"],
                        "status": "wrong before" if wrong else "attacked",
                    }
                )
                for snr in () if wrong else SNRS:
                    noted = {"snr": snr, "realised_snr": snr, "clipped": 0.0, "status": "attacked"}
                    for method, falls in (("control", False), ("fgsm", fooled(person, snr, random))):
                        said = other if falls else row["before"]
                        rows.append({**row, **noted, "method": method, "predicted": said})
    return pd.DataFrame(rows)


@pytest.fixture
def manifest() -> pd.DataFrame:
    rows = attacked()
    return rows[rows["method"] == "none"][["utterance", "gender"]].assign(age=np.nan, session="", language="")


def through_a_file(rows: pd.DataFrame, tmp_path) -> pd.DataFrame:
    Attacked.write(rows, tmp_path / "attacked.tsv")
    return Attacked.read(tmp_path / "attacked.tsv")


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_success_is_the_share_of_what_was_right_with_an_interval_over_speakers(seeds, tmp_path):
    rows = through_a_file(attacked(seeds=seeds), tmp_path)
    found = results(Fooled(rows), PLANNED, SNRS)
    AttackResult.write(found, tmp_path / "summary.tsv")
    for row in AttackResult.read(tmp_path / "summary.tsv").to_dict("records"):
        own = rows[(rows["method"] == "fgsm") & (rows["snr"] == row["snr"])]
        fell = own["predicted"] != own["label"]
        assert row["success"] == pytest.approx(fell.mean())
        by_speaker = fell.groupby(own["speaker"]).agg(["sum", "size"])
        counts = np.zeros((8, 1, 2, 2))
        counts[:, 0, 0] = np.stack([by_speaker["sum"], by_speaker["size"] - by_speaker["sum"]], axis=1)
        interval = speaker_interval(counts, accuracy)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
        assert row["difference"] == pytest.approx(row["success"] - row["control"])
        clean = rows[rows["method"] == "none"]
        right = (clean["predicted"] == clean["label"]).sum()
        assert row["accuracy"] == pytest.approx((right - fell.sum()) / len(clean))
        assert row["clean_accuracy"] == pytest.approx(right / len(clean))
        assert row["attempts"] == right
        assert row["attacked"] == own["utterance"].nunique()
        assert (row["tested"], row["folds"]) == (clean["utterance"].nunique(), 2)
        assert row["seeds"] == ", ".join(map(str, seeds))
        assert row["verdict"] == "beyond control"


def test_of_a_model_at_chance_an_attack_says_nothing(tmp_path):
    shuffled = attacked(label=lambda random: random.choice(["neutral", "anger", "sadness"]))
    found = results(Fooled(through_a_file(shuffled, tmp_path)), PLANNED, SNRS)
    assert set(found["verdict"]) == {"not interpretable: at chance"}


def test_one_speaker_gives_no_interval(tmp_path):
    rows = attacked()
    found = results(Fooled(through_a_file(rows[rows["speaker"] == "s1"], tmp_path)), PLANNED, SNRS)
    assert set(found["verdict"]) == {"one speaker"}
    assert found["low"].isna().all()


def test_the_headline_is_trust_sers_ratio_or_the_nearest():
    assert headline([60.0, 45.0, 15.0]) == 45
    assert headline([60.0, 42.0]) == 42
    assert headline([50.0, 40.0]) == 40, "of two as near, that of the louder perturbation"


def test_trust_sers_format_has_per_cent_by_fold_with_their_mean_and_deviation(tmp_path):
    rows = through_a_file(attacked(fooled=lambda person, *_: person < 4 or person == 5), tmp_path)
    told = as_trust_ser(Fooled(rows), "fgsm", 40.0)
    own = rows[(rows["method"] == "fgsm") & (rows["snr"] == 40) & (rows["fold"] == 2)]
    second = 100 * (own["predicted"] != own["label"]).mean()
    expected = {"1": 100, "2": second, "average": np.mean([100, second]), "std": np.std([100, second])}
    assert {name: entry["attack_success_rate"] for name, entry in told.items()} == pytest.approx(expected)


def test_who_is_fooled_more_often_is_told_by_group(manifest, tmp_path):
    rows = through_a_file(attacked(fooled=lambda person, snr, _: person % 2 == 1 and snr == 40), tmp_path)
    found = breakdown(Fooled(rows), PLANNED, SNRS, manifest, ASKED)
    AttackBreakdown.write(found, tmp_path / "breakdown.tsv")
    found = AttackBreakdown.read(tmp_path / "breakdown.tsv")
    found = found[found["snr"] == 40].set_index(["axis", "what", "group"]).sort_index()
    assert found.loc[("gender", "success", "female"), "value"] == 1
    assert found.loc[("gender", "success", "male"), "value"] == 0
    gap = found.loc[("gender", "gap", "")]
    assert (gap["value"], gap["higher"], gap["lower"]) == (1, "female", "male")
    assert gap["p"] == pytest.approx(2 / 70, abs=0.015), "of the 70 ways to deal out 8 people, 2 are as extreme"
    assert gap["low"] > 0.5
    emotions = found.loc[("emotion", "success")]
    assert set(emotions.index) == {"neutral", "anger", "sadness"}
    assert found.loc[("emotion", "gap", ""), "p"] > 0.05
    assert emotions["attacked"].sum() == (rows["method"] == "none").sum() - (rows["status"] == "wrong before").sum()


def test_groups_that_are_too_small_are_named(manifest, tmp_path):
    rows = through_a_file(attacked(), tmp_path)
    found = breakdown(Fooled(rows), PLANNED, SNRS, manifest, Asked(["speaker", "age"], min_utterances=20))
    left = found[(found["note"] != "") & (found["what"] == "success")]
    assert set(left["note"]) == {"left out: fewer than 20 test utterances"}
    assert left["value"].isna().all()
    assert set(found[(found["axis"] == "age")]["note"]) == {"the corpus does not say by age"}
    kept = breakdown(Fooled(rows), PLANNED, SNRS, manifest, Asked(["speaker"], min_utterances=12))
    kept = kept[(kept["axis"] == "speaker") & (kept["what"] == "success")]
    assert kept["low"].notna().all(), "of a person, over utterances"
    assert (kept["attacked"] < 12).any(), "of the 12 that each of them is tested on"


def test_seeds_that_agree_are_no_more_evidence_than_one(manifest):
    """Three models that fall for the same utterances do not make three utterances of one."""
    one = attacked(seeds=(0,))
    three = pd.concat([one.assign(seed=seed) for seed in range(3)])
    asked = Asked(["gender", "speaker"], min_utterances=5)
    alone, together = (breakdown(Fooled(rows), PLANNED, SNRS, manifest, asked) for rows in (one, three))
    for column in ("value", "low", "high", "p", "random_high", "attacked"):
        np.testing.assert_allclose(
            together[column].to_numpy(dtype=float), alone[column].to_numpy(dtype=float), atol=0.01, err_msg=column
        )


@pytest.mark.parametrize("snrs", [SNRS, (40.0,)])
def test_figures_and_texts_are_drawn_of_all_that_may_come(snrs, manifest, tmp_path):
    planned = [*PLANNED, Planned("transfer_pgd", "wavlm")]
    rows = attacked()
    lent = rows[rows["method"] == "fgsm"].assign(method="transfer_pgd", source="wavlm")
    for kind in (pd.concat([rows, lent]), rows[rows["method"] == "none"].assign(before="fear", predicted="fear")):
        fooled = Fooled(through_a_file(kind, tmp_path))
        found = results(fooled, planned, snrs)
        AttackResult.write(found, tmp_path / "one.tsv")
        save_figure(curve_figure(AttackResult.read(tmp_path / "one.tsv"), "title"), tmp_path / "curve.png")
        groups = breakdown(fooled, planned, snrs, manifest, ASKED)
        save_figure(groups_figure(groups[groups["method"] == "fgsm"], "title"), tmp_path / "groups.png")
        systems = [("apc", "cnn", ""), ("egemaps", "cnn", "no gradient passes through egemaps")]
        table = all_systems("demo", systems, [AttackResult.read(tmp_path / "one.tsv")])
        AttackSummary.write(table, tmp_path / "demo" / "summary.tsv")
        table = AttackSummary.read(tmp_path / "demo" / "summary.tsv")
        assert headline_title(table) == "demo, at 40 dB"
        save_figure(systems_figure(table[table["headline"] == "yes"], "title"), tmp_path / "systems.png")
        text = attack_text(AttackSummary.found_in(tmp_path))
        assert "not applicable: no gradient passes through egemaps" in text
        assert "PGD, by way of wavlm" in text
        assert "higher is worse" in text
    assert "no utterance was right" in text or "no utterance could be attacked" in text


def test_examples_are_of_many_emotions_and_speakers_and_fooled_where_there_are_such(tmp_path):
    fooled = Fooled(through_a_file(attacked(fooled=lambda person, *_: person > 3), tmp_path))
    chosen = choose(fooled, "fgsm", 40.0, 3)
    assert set(chosen["label"]) == {"neutral", "anger", "sadness"}
    assert set(chosen["speaker"]) == {"s4", "s5", "s6"}
    assert len(choose(fooled, "fgsm", 40.0, 96)) == 96
    with pytest.raises(AttackError, match=r"attack\.examples is 97, but there are 96 test utterances"):
        choose(fooled, "fgsm", 40.0, 97)


def test_clips_are_written_without_rounding_and_with_the_same_bytes(tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, 500).astype(np.float32)
    (tmp_path / "clip.wav").write_bytes(as_wav(samples))
    read, rate = soundfile.read(tmp_path / "clip.wav", dtype="float32")
    assert rate == 16000
    assert np.array_equal(read, samples)
    assert as_wav(samples) == as_wav(samples)


def test_parts_of_another_job_are_not_taken_up(tmp_path):
    one, other = (Unfinished(tmp_path, of) for of in ("one", "other"))
    one.save("part", [{"x": 0.1 + 0.2}])
    assert one.load("part") == [{"x": 0.1 + 0.2}]
    assert other.load("part") is None
    (tmp_path / "moved.json").write_bytes((tmp_path / "part.json").read_bytes())
    assert one.load("moved") is None
