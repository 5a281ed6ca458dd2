"""From predictions to the tables: figures that can be checked by hand or by scikit-learn, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, recall_score

from candor.performance.evaluate import evaluate
from candor.tables.models import Predictions
from candor.tables.performance import ConfusionCounts, PerClass, RunSummary, Summary

CLASSES = ["ang", "hap", "neu", "sad"]


def predictions(speakers: int = 6, seeds: int = 2, skill: float = 0.7, seed: int = 0) -> pd.DataFrame:
    """Return predictions for two speakers per fold and 40 utterances each, right with probability `skill`."""
    rng = np.random.default_rng(seed)
    rows = []
    for speaker in range(speakers):
        for utterance in range(40):
            label = CLASSES[utterance % 4 if utterance < 4 else rng.choice(4, p=[0.1, 0.2, 0.4, 0.3])]
            for trained in range(seeds):
                predicted = label if rng.random() < skill else str(rng.choice(CLASSES))
                rows.append(
                    {
                        "utterance": f"s{speaker}_u{utterance}",
                        "speaker": f"s{speaker}",
                        "gender": "female" if speaker % 2 else "male",
                        "session": "",
                        "fold": 1 + speaker // 2,
                        "seed": trained,
                        "label": label,
                        "predicted": predicted,
                        **{f"p_{name}": float(name == predicted) for name in CLASSES},
                    }
                )
    return pd.DataFrame(rows)


def metric(frame: pd.DataFrame, name: str, column: str) -> float:
    return float(frame.loc[frame["metric"] == name, column].item())


def uar_of(rows: pd.DataFrame) -> float:
    return float(recall_score(rows["label"], rows["predicted"], labels=CLASSES, average="macro", zero_division=0))


def test_value_and_spreads_are_those_of_the_metric_per_seed_and_per_fold() -> None:
    frame = predictions()
    got = evaluate(frame, CLASSES).metrics
    per_seed = [uar_of(rows) for _, rows in frame.groupby("seed")]
    assert metric(got, "uar", "value") == pytest.approx(np.mean(per_seed))
    assert metric(got, "uar", "seed_sd") == pytest.approx(np.std(per_seed, ddof=1))
    per_fold = [np.mean([uar_of(rows) for _, rows in fold.groupby("seed")]) for _, fold in frame.groupby("fold")]
    assert metric(got, "uar", "fold_sd") == pytest.approx(np.std(per_fold, ddof=1))
    f1 = [
        f1_score(rows["label"], rows["predicted"], labels=CLASSES, average="macro") for _, rows in frame.groupby("seed")
    ]
    assert metric(got, "macro_f1", "value") == pytest.approx(np.mean(f1))
    assert got[["utterances", "speakers", "folds", "seeds"]].drop_duplicates().to_numpy().tolist() == [[240, 6, 3, 2]]
    assert (got["interpretable"] == "yes").all()
    assert ((got["low"] < got["value"]) & (got["value"] < got["high"])).all()


def test_order_of_rows_does_not_matter() -> None:
    frame = predictions()
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(evaluate(frame, CLASSES).metrics, evaluate(shuffled, CLASSES).metrics)


def test_what_one_fold_one_seed_or_one_speaker_cannot_tell_is_blank() -> None:
    got = evaluate(predictions(speakers=1, seeds=1), CLASSES)
    assert got.metrics[["low", "high", "fold_sd", "seed_sd"]].isna().all(axis=None)
    assert got.metrics["value"].notna().all()
    assert got.per_class[["low", "high"]].isna().all(axis=None)


def test_classes_by_hand() -> None:
    rows = [("a", "ang", "ang"), ("a", "ang", "sad"), ("b", "ang", "sad"), ("b", "sad", "sad"), ("a", "sad", "sad")]
    frame = pd.DataFrame(rows, columns=["speaker", "label", "predicted"])
    frame = frame.assign(utterance=[f"u{n}" for n in range(len(rows))], session="", fold=1, seed=1)
    with pytest.warns(UserWarning, match="no test utterance is hap, neu"):
        got = evaluate(frame, CLASSES)
    ang, hap, _, sad = got.per_class.to_dict("records")
    assert (ang["recall"], ang["precision"], ang["f1"]) == pytest.approx((1 / 3, 1, 0.5))
    assert (ang["utterances"], ang["speakers"], ang["confused_with"]) == (3, 2, "sad")
    assert (sad["recall"], sad["precision"], sad["confused_with"]) == pytest.approx((1, 0.5, ""))
    assert np.isnan(hap["recall"])
    assert (hap["utterances"], hap["speakers"]) == (0, 0)
    assert metric(got.metrics, "uar", "value") == pytest.approx(2 / 3)
    assert metric(got.metrics, "accuracy", "chance") == pytest.approx(3 / 5)
    cells = got.confusion.to_dict("records")
    assert {"label": "ang", "predicted": "sad", "count": 2, "share": pytest.approx(2 / 3)} in cells


def test_a_model_of_one_class_is_marked_even_if_it_is_another_class_in_each_fold() -> None:
    frame = predictions()
    frame["predicted"] = frame["fold"].map({1: "neu", 2: "ang", 3: "neu"})
    assert set(evaluate(frame, CLASSES).metrics["interpretable"]) == {"one class"}


def test_a_model_that_guesses_is_marked_at_chance() -> None:
    assert set(evaluate(predictions(skill=0), CLASSES).metrics["interpretable"]) == {"at chance"}


def test_one_failed_model_of_many_does_not_condemn_the_rest() -> None:
    frame = predictions(skill=0.9)
    frame.loc[(frame["fold"] == 1) & (frame["seed"] == 0), "predicted"] = "neu"
    assert set(evaluate(frame, CLASSES).metrics["interpretable"]) == {"yes"}


def test_a_seed_that_a_fold_lacks_is_an_error() -> None:
    frame = predictions()
    with pytest.raises(ValueError, match="fold 2: no prediction of s2_u0 with seed 1"):
        evaluate(frame[(frame["fold"] != 2) | (frame["seed"] != 1)], CLASSES)


def test_an_utterance_predicted_twice_is_an_error() -> None:
    frame = predictions()
    again = frame.iloc[[5]].assign(fold=3)
    with pytest.raises(ValueError, match="two predictions of s0_u2 with seed 1"):
        evaluate(pd.concat([frame, again]), CLASSES)


def test_an_utterance_with_two_labels_is_an_error() -> None:
    frame = predictions()
    frame.loc[0, "label"] = "hap" if frame.loc[0, "label"] != "hap" else "sad"
    with pytest.raises(ValueError, match="s0_u0 has more than one label"):
        evaluate(frame, CLASSES)


def test_a_foreign_class_and_an_empty_table_are_errors() -> None:
    with pytest.raises(ValueError, match=r"\['sad'\], which are not among"):
        evaluate(predictions(), CLASSES[:3])
    with pytest.raises(ValueError, match="no predictions"):
        evaluate(predictions().iloc[:0], CLASSES)


def test_rows_are_what_the_contracts_say(tmp_path: Path) -> None:
    Predictions.write(predictions(), tmp_path / "predictions.tsv")
    got = evaluate(Predictions.read(tmp_path / "predictions.tsv"), CLASSES)
    rows = got.summary("corpus", "backbone", "recipe")
    for table, frame in (
        (Summary, rows),
        (RunSummary, rows),
        (PerClass, got.per_class),
        (ConfusionCounts, got.confusion),
    ):
        table.write(frame, tmp_path / "table.tsv")
        pd.testing.assert_frame_equal(table.read(tmp_path / "table.tsv"), frame, check_dtype=False)


def test_speakers_who_are_not_known_count_by_session() -> None:
    """The same utterances with speakers named, and with speakers hidden but a session for each, say the same."""
    frame = predictions()
    hidden = frame.assign(session=frame["speaker"], speaker="")
    named, unknown = (evaluate(rows, CLASSES).metrics for rows in (frame, hidden))
    pd.testing.assert_frame_equal(named, unknown)
    one = evaluate(frame.assign(session="podcast", speaker=""), CLASSES).metrics
    assert metric(one, "uar", "speakers") == 1
    assert np.isnan(metric(one, "uar", "low"))


def test_speakers_in_train_stand_beside_the_figures() -> None:
    assert set(evaluate(predictions(), CLASSES).metrics["speakers_in_train"]) == {0}
    assert set(evaluate(predictions(), CLASSES, 4).metrics["speakers_in_train"]) == {4}
