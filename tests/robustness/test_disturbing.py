"""Whole jobs on planted models: what changes and what does not, who is left out, what a killed job leaves."""

import numpy as np
import pandas as pd
import pytest

from candor.features.extraction import worthwhile_seconds
from candor.models import audit
from candor.robustness.emotion_answers import EmotionAnswers
from candor.robustness.evaluate import results
from candor.robustness.job import RobustnessError
from candor.robustness.rating_answers import RatingAnswers
from candor.tables.models import Predictions
from candor.tables.robustness import Disturbed, DisturbedRatings, RobustnessResult
from planted_models import CLASSES, clip, planted
from robustness.lab import Planted, job_of, rating_task

FRAGILE, ROBUST = 5e-5, 1e-2
"""Margins: by how much samples have to move along the weights; white noise at 20 dB moves them by about 1e-4."""


def rows_of(job, tmp_path) -> pd.DataFrame:
    """Return what a job writes, as the next one reads it."""
    Disturbed.write(job.run(), tmp_path / "disturbed.tsv")
    return Disturbed.read(tmp_path / "disturbed.tsv")


def judged(job, rows) -> pd.DataFrame:
    predictions = job.predictions[1].assign(gender="")
    predictions = predictions.assign(**{f"p_{name}": (predictions["predicted"] == name) * 1.0 for name in CLASSES})
    assert Predictions.classes(predictions) == CLASSES
    return results(EmotionAnswers(rows, predictions), job.tests).set_index(["test", "strength"])


def test_an_identity_changes_nothing(tmp_path):
    job = job_of(*planted(FRAGILE), tmp_path, {"gain": [-2.0, 0.0]})
    rows = rows_of(job, tmp_path)
    said = rows[rows["strength"] == 0].set_index("utterance")["predicted"].to_dict()
    assert said == job.predictions[1].set_index("utterance")["predicted"].to_dict()
    found = judged(job, rows).loc[("gain", 0.0)]
    assert (found["unchanged"], found["change"], found["p"]) == (1, 0, 1)
    assert found["change_low"] < 0 < found["change_high"], "no change so far is no proof"


@pytest.mark.parametrize(("margin", "passed"), [(FRAGILE, "no"), (ROBUST, "yes")])
def test_a_fragile_model_fails_and_a_robust_one_passes(margin, passed, tmp_path):
    job = job_of(*planted(margin), tmp_path, {"white_noise": [20.0], "gain": [-2.0]})
    found = judged(job, rows_of(job, tmp_path))
    noisy = found.loc[("white_noise", 20.0)]
    assert (noisy["passed"], noisy["clean"]) == (passed, 1)
    # That none of 48 has changed does not yet say that of others at least 90 % would not.
    assert noisy["certain"] == ("yes" if passed == "no" else "no")
    assert noisy["realised_snr"] == pytest.approx(20, abs=0.1)
    assert found.loc[("gain", -2.0), "passed"] == "yes", "signs do not mind how loud it is"
    whole = found.xs("all").iloc[0]
    assert (whole["tests_passed"], whole["tests_made"]) == ((2, 2) if passed == "yes" else (1, 2))
    RobustnessResult.write(found.reset_index(), tmp_path / "summary.tsv")
    assert len(RobustnessResult.read(tmp_path / "summary.tsv")) == 3


def test_batches_change_nothing(tmp_path, monkeypatch):
    tests = {
        "white_noise": [20.0],
        "babble": [20.0, 0.0],
        "room": [0.2],
        "silence_before": [0.03],
        "crop_start": [0.03],
    }
    clips, labels = planted(FRAGILE)
    singly = job_of(clips, labels, tmp_path, tests)
    apart, calls = singly.run(), singly.system.listener.calls
    seen = []

    def always(backbone, device, seconds):
        seen.append(worthwhile_seconds(backbone, device, seconds))
        return 2.0

    monkeypatch.setattr(audit, "worthwhile_seconds", always)
    together = job_of(clips, labels, tmp_path, tests)
    assert together.run() == apart
    assert set(seen) == {0.0}
    assert together.system.listener.calls < calls / 4


def test_one_pass_of_a_frozen_backbone_serves_all_seeds(tmp_path):
    clips, labels = planted(ROBUST)
    one, three = (job_of(clips, labels, tmp_path, {"gain": [-2.0]}, seeds=seeds) for seeds in ([0], [0, 1, 2]))
    assert len(three.run()) == 3 * len(one.run())
    assert three.system.listener.calls == one.system.listener.calls


def test_who_cannot_be_disturbed_is_left_out_and_counted(tmp_path):
    clips, labels = planted(ROBUST)
    clips["u00"] = clips["u00"][:1700]  # 0.1 s, of which nothing may be cut off
    clips["u02"] = np.zeros(4000, np.float32)
    job = job_of(clips, labels, tmp_path, {"white_noise": [20.0], "crop_end": [0.03]})
    rows = rows_of(job, tmp_path)
    assert rows[rows["utterance"] == "u00"]["status"].tolist() == ["disturbed", "too short"]
    assert set(rows[rows["utterance"] == "u02"]["status"]) == {"silent"}
    found = judged(job, rows)
    cropped, noisy = found.loc[("crop_end", 0.03)], found.loc[("white_noise", 20.0)]
    assert (cropped["utterances"], noisy["utterances"]) == (47, 48)
    assert cropped["note"] == "left out: 1 utterances, too short; 1 silent utterances, to which nothing is added"
    assert noisy["unchanged"] == 1


def test_a_silent_recording_stays_as_it_is_where_nothing_can_be_heard_of_a_disturbance(tmp_path):
    clips, labels = planted(ROBUST)
    clips["u02"] = np.zeros(4000, np.float32)
    job = job_of(clips, labels, tmp_path, {"mu_law": [256.0, 16.0], "telephone": [256.0, 4.0], "clipping": [10.0]})
    heard, hidden = [], job.system.listener.hidden

    def listening(model, waveforms):
        heard.extend(waveforms)
        return hidden(model, waveforms)

    job.system.listener.hidden = listening
    rows = rows_of(job, tmp_path)
    own = rows[rows["utterance"] == "u02"]
    said = job.predictions[1].set_index("utterance")["predicted"]
    assert set(own["status"]) == {"silent"}
    assert set(own["predicted"]) == {said["u02"]}
    assert sum(not waveform.any() for waveform in heard) == len(own)


def test_nobody_babbles_behind_the_only_speaker(tmp_path):
    clips, labels = planted(ROBUST)
    job = job_of(clips, labels, tmp_path, {"babble": [20.0], "gain": [-2.0]}, speakers=["kim"] * len(clips))
    found = judged(job, rows_of(job, tmp_path))
    babble = found.loc[("babble", 20.0)]
    assert babble["utterances"] == 0
    assert babble["verdict"] == "no verdict: no utterance could be disturbed"
    assert "left out: 48 utterances, no other speaker" in babble["note"]
    assert found.xs("all").iloc[0]["tests_made"] == 1


@pytest.mark.parametrize(("speakers", "voices"), [(12, {4, 5, 6, 7}), (6, {4, 5}), (3, {2})])
def test_voices_are_of_others_and_are_drawn_by_the_name(speakers, voices, tmp_path):
    """From 4 to 7 of them, as far as there are so many."""
    clips, labels = planted(ROBUST)
    whose = [f"s{place * speakers // len(clips)}" for place in range(len(clips))]
    job = job_of(clips, labels, tmp_path, {"babble": [20.0]}, speakers=whose)
    speaker = dict(zip(clips, job.folds[1]["speaker"], strict=True))
    recorded = {np.round(samples * 32768).astype(int).tobytes(): name for name, samples in clips.items()}
    numbers = set()
    for name in clips:
        first, again = (job.voices.behind(name, np.random.default_rng(len(name) + int(name[1:]))) for _ in range(2))
        names = [recorded[np.round(voice * 32768).astype(int).tobytes()] for voice in first]
        assert speaker[name] not in {speaker[other] for other in names}
        assert len({speaker[other] for other in names}) == len(names)
        assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
        numbers.add(len(names))
    assert numbers == voices


def test_models_that_are_not_the_ones_that_were_trained_are_refused(tmp_path):
    job = job_of(*planted(ROBUST), tmp_path, {"gain": [-2.0]})
    job.predictions[1]["predicted"] = "anger"
    with pytest.raises(RobustnessError, match=r"fold 1 and seed 0 on pieces says something else of 16 of 32 test"):
        job.run()


def test_ratings_are_foretold_of_disturbed_speech_too(tmp_path):
    """A step along the weights raises the rating: by 16 times the margin, times the slope, in standard deviations."""
    labels = {f"u{n:02}": CLASSES[n % 2] for n in range(48)}
    clips = {name: clip(label, 1e-3 * (1 + n % 5), n) for n, (name, label) in enumerate(labels.items())}
    job = job_of(clips, labels, tmp_path, {"gain": [-6.0, -2.0]}, system=Planted(rating_task()))
    DisturbedRatings.write(job.run(), tmp_path / "disturbed.tsv")
    rows = DisturbedRatings.read(tmp_path / "disturbed.tsv")
    before = job.predictions[1].drop(columns="label").assign(gender="")
    before["value"] = before["predicted"]
    both = rows[rows["strength"] == -6].merge(before, on="utterance", suffixes=("", "_before"))
    half = 10 ** (-6 / 20)
    assert (both["predicted"] - 3).tolist() == pytest.approx((half * (both["predicted_before"] - 3)).tolist(), abs=0.02)
    found = results(RatingAnswers(rows, before), job.tests).set_index(["test", "strength"])
    louder, quieter = found.loc[("gain", -2.0)], found.loc[("gain", -6.0)]
    assert 1 > louder["score"] > quieter["score"]
    assert (louder["passed"], quieter["passed"]) == ("no", "")
    job.predictions[1]["predicted"] += 0.1
    with pytest.raises(RobustnessError, match="says something else of 32 of 32"):
        job.run()


def test_only_those_who_are_drawn_are_disturbed_and_of_them_what_the_model_is_given(tmp_path):
    clips, labels = planted(ROBUST)
    job = job_of(clips, labels, tmp_path, {"silence_before": [0.5]}, most=24, seconds=0.2)
    rows = rows_of(job, tmp_path)
    assert rows["utterance"].nunique() == 24
    by_speaker = rows.merge(job.folds[1][["utterance", "speaker"]])["speaker"].value_counts()
    assert set(by_speaker) == {4}
    # Of half a second of silence and the clip behind it, a model that hears 0.2 seconds hears nothing.
    assert set(rows["predicted"]) == {"neutral"}


def test_a_job_that_is_cut_off_goes_on_and_ends_with_the_same_rows(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(audit, "PART", 10)
    clips, labels = planted(FRAGILE)
    aside, tests = tmp_path / "unfinished" / "robustness", {"white_noise": [20.0, 0.0]}

    def new(**more):
        return job_of(clips, labels, tmp_path, tests, aside=aside, **more)

    whole = new(made_of={"of": "another job"}).run()
    assert len(list(aside.iterdir())) == 5
    system = Planted()
    job, unchanged, calls = new(system=system), system.listener.hidden, []

    def counting(*arguments):
        calls.append(1)
        if len(calls) == 32 + 45:  # after the clean ones, 20 for each part
            raise KeyboardInterrupt
        return unchanged(*arguments)

    monkeypatch.setattr(system.listener, "hidden", counting)
    with pytest.raises(KeyboardInterrupt):
        job.run()
    # One of the two finished parts is damaged meanwhile. What the other job has left of the rest is not taken up.
    first = sorted(aside.iterdir())[0]
    first.write_text(first.read_text()[:100])
    del calls[:]
    calls.extend([1] * 100)
    assert job.run() == whole
    assert len(calls) == 100 + 32 + 96 - 20
    assert "is damaged" in caplog.text
    assert job.run() == whole
    assert len(calls) == 100 + 32 + 96 - 20, "all is there"
    job.unfinished.remove()
    assert not aside.exists()


def test_what_was_found_of_another_length_is_not_taken_up(tmp_path):
    """Half a second of silence, and what is behind it: of 0.2 seconds of that a model hears nothing."""
    clips, labels = planted(ROBUST)
    aside, tests = tmp_path / "unfinished" / "robustness", {"silence_before": [0.5]}
    whole, short, again = (
        job_of(clips, labels, tmp_path, tests, aside=aside, seconds=seconds).run() for seconds in (None, 0.2, None)
    )
    assert whole == again
    assert {row["predicted"] for row in whole} == set(CLASSES)
    assert {row["predicted"] for row in short} == {"neutral"}


def test_a_clip_that_turns_at_once_tells_of_the_strength(tmp_path):
    """The margin of each clip is twice the one before: the louder the noise, the more of them are turned."""
    labels = {f"u{n:02}": CLASSES[n % 2] for n in range(48)}
    clips = {name: clip(label, 2e-5 * 2.0 ** (n // 4), n) for n, (name, label) in enumerate(labels.items())}
    rows = rows_of(job_of(clips, labels, tmp_path, {"white_noise": [40.0, 20.0, 0.0]}), tmp_path)
    wrong = rows.assign(wrong=rows["predicted"] != rows["utterance"].map(labels)).groupby("strength")["wrong"].sum()
    assert wrong[0.0] > wrong[20.0] > wrong[40.0]
