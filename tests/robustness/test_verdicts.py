"""Figures and verdicts from answers that are known, against scikit-learn, scipy and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from candor.performance.ratings import ccc
from candor.robustness.battery import TESTS
from candor.robustness.emotion_answers import EmotionAnswers
from candor.robustness.evaluate import results
from candor.robustness.rating_answers import RatingAnswers
from candor.tables.robustness import Disturbed, RobustnessResult
from robustness.lab import EMOTIONS, disturbed_of, predictions_of

TESTS_MADE = {"white_noise": [30.0, 20.0], "room": [0.4], "crop_start": [0.03]}


def some(share, other=lambda row, random: EMOTIONS[int(random.integers(3))]):
    """Say something else of so many."""
    return lambda test, strength, row, random: other(row, random) if random.random() < share else row["predicted"]


def judged(predictions, change, tests=TESTS_MADE, tmp_path=None) -> pd.DataFrame:
    disturbed = disturbed_of(predictions, tests, change)
    if tmp_path is not None:
        Disturbed.write(disturbed, tmp_path / "disturbed.tsv")
        disturbed = Disturbed.read(tmp_path / "disturbed.tsv")
    return results(EmotionAnswers(disturbed, predictions), tests)


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_figures_are_those_of_scikit_learn(seeds, tmp_path):
    predictions = predictions_of(seeds=seeds)
    disturbed = disturbed_of(predictions, TESTS_MADE, some(0.3))
    found = results(EmotionAnswers(disturbed, predictions), TESTS_MADE)
    RobustnessResult.write(found, tmp_path / "summary.tsv")
    found = RobustnessResult.read(tmp_path / "summary.tsv").set_index(["test", "strength"])
    own = disturbed[(disturbed["test"] == "white_noise") & (disturbed["strength"] == 20)]
    both = own.merge(predictions, on=["utterance", "fold", "seed"], suffixes=("", "_before"))
    row = found.loc[("white_noise", 20.0)]
    scores = {
        column: np.mean([balanced_accuracy_score(one["label"], one[column]) for _, one in both.groupby("seed")])
        for column in ("predicted", "predicted_before")
    }
    assert row["score"] == pytest.approx(scores["predicted"])
    assert row["clean"] == pytest.approx(scores["predicted_before"])
    assert row["change"] == pytest.approx(scores["predicted"] - scores["predicted_before"])
    assert row["unchanged"] == pytest.approx((both["predicted"] == both["predicted_before"]).mean())
    assert row["change_low"] < row["change"] < row["change_high"]
    assert row["unchanged_low"] < row["unchanged"] < row["unchanged_high"]
    assert (row["utterances"], row["speakers"], row["folds"]) == (120, 8, 2)
    assert row["seeds"] == ", ".join(map(str, seeds))
    assert row["chance"] == pytest.approx(1 / 3)
    agreed = [
        sum(np.mean(one["predicted"] == name) * np.mean(one["predicted_before"] == name) for name in EMOTIONS)
        for _, one in both.groupby("seed")
    ]
    assert row["chance_unchanged"] == pytest.approx(np.mean(agreed))


def test_the_interval_of_the_share_is_students_where_speakers_have_equally_many():
    """For shares near the middle logit and identity agree; a jackknife of a mean is the t interval over speakers."""
    predictions = predictions_of(speakers=30, each=30)
    disturbed = disturbed_of(predictions, {"room": [0.4]}, some(0.75))
    row = results(EmotionAnswers(disturbed, predictions), {"room": [0.4]}).iloc[0]
    both = disturbed.merge(predictions, on=["utterance", "fold", "seed"], suffixes=("", "_before"))
    shares = (both["predicted"] == both["predicted_before"]).groupby(both["speaker"]).mean()
    low, high = stats.t.interval(0.95, len(shares) - 1, shares.mean(), stats.sem(shares))
    assert (row["unchanged_low"], row["unchanged_high"]) == pytest.approx((low, high), abs=2e-3)


@pytest.mark.parametrize(
    ("share", "passed", "verdict"),
    [(0.0, "yes", "passed"), (0.9, "no", "failed: unchanged and UAR")],
)
def test_thresholds_are_those_of_ser_tests(share, passed, verdict, tmp_path):
    found = judged(predictions_of(), some(share), tmp_path=tmp_path).set_index(["test", "strength"])
    row = found.loc[("white_noise", 20.0)]
    assert (row["passed"], row["verdict"]) == (passed, verdict)
    assert (row["least_unchanged"], row["least_change"]) == (0.90, -0.05)
    assert (found.loc[("crop_start", 0.03), "least_unchanged"], TESTS["tilt_up"].least_change("uar")) == (0.95, -0.02)
    assert np.isnan(found.loc[("crop_start", 0.03), "least_change"])
    other = found.loc[("white_noise", 30.0)]
    assert (other["passed"], other["verdict"], other["headline"]) == ("", "", "no")
    whole = found.xs("all").iloc[0]
    assert (whole["tests_passed"], whole["tests_made"]) == ((3, 3) if passed == "yes" else (0, 3))
    assert whole["verdict"] == f"{3 if passed == 'yes' else 0} of 3 passed"


def test_an_interval_across_the_threshold_is_not_certain():
    tests = {"white_noise": [20.0]}
    few = judged(predictions_of(6), some(0.13), tests).iloc[0]
    many = judged(predictions_of(200), some(0.06), tests).iloc[0]
    assert few["unchanged_low"] < 0.9 < few["unchanged_high"]
    assert few["certain"] == "no"
    assert (many["certain"], many["passed"]) == ("yes", "yes")


def test_a_loss_that_chance_shows_too_is_marked():
    """Every prediction that changes becomes wrong, but few of few: models that hear nothing vary by more."""
    predictions = predictions_of(speakers=6, each=9)
    row = judged(predictions, some(0.08, lambda row, _: EMOTIONS[(EMOTIONS.index(row["label"]) + 1) % 3])).iloc[1]
    assert row["unchanged"] > 0.9
    assert row["change"] < -0.05
    assert row["verdict"] == "failed: UAR, within chance"
    assert row["random_low"] < row["change"]


def test_the_random_band_is_that_of_two_binomials():
    """Of two classes, as often said, the UAR is the mean of two binomial shares; before and after are independent."""
    predictions = predictions_of(speakers=10, each=40, right=0.5, classes=["neutral", "anger"], seed=3)
    answers = EmotionAnswers(disturbed_of(predictions, {"gain": [-2.0]}, some(0.0)), predictions)
    drawn = answers.random_changes(answers.rows, 20_000)
    said = float((predictions["predicted"] == "anger").mean())
    deviation = np.sqrt(2 * 2 * said * (1 - said) / 200 / 4)
    assert drawn.mean() == pytest.approx(0, abs=0.001)
    assert drawn.std() == pytest.approx(deviation, rel=0.03)
    assert np.quantile(drawn, 0.05) == pytest.approx(-1.645 * deviation, rel=0.05)


def test_all_together_are_means_with_an_interval_over_speakers():
    predictions = predictions_of(speakers=12, each=30)
    found = judged(predictions, some(0.4))
    headlines = found[(found["headline"] == "yes") & (found["test"] != "all")]
    whole = found[found["test"] == "all"].iloc[0]
    for what in ("score", "change", "unchanged"):
        assert whole[what] == pytest.approx(headlines[what].mean())
        assert whole[f"{what}_low"] < whole[what] < whole[f"{what}_high"]
    # Speakers have equally many utterances of each emotion, so theirs are the means of a t interval.
    disturbed = disturbed_of(predictions, TESTS_MADE, some(0.4))
    both = disturbed.merge(predictions, on=["utterance", "fold", "seed"], suffixes=("", "_before"))
    both = both[(both["test"] != "white_noise") | (both["strength"] == 20)]
    gains = (both["predicted"] == both["label"]).astype(float) - (both["predicted_before"] == both["label"])
    by_speaker = gains.groupby(both["speaker"]).mean()
    low, high = stats.t.interval(0.95, 11, by_speaker.mean(), stats.sem(by_speaker))
    assert (whole["change_low"], whole["change_high"]) == pytest.approx((low, high), rel=1e-6)


def of_each_test(disturbed, predictions, tests, figure):
    """Return a figure of each test, from the labels, what was said and what was said before."""
    both = disturbed.merge(predictions, on=["utterance", "fold", "seed"], suffixes=("", "_before"))
    both = both[both["status"] == "disturbed"]
    return [figure(both[both["test"] == test]) for test in tests]


@pytest.mark.parametrize("tests", [("crop_end", "room", "gain"), ("room", "gain", "crop_end")])
def test_a_speaker_who_is_left_out_of_one_test_counts_in_all_others_whatever_their_order(tests):
    predictions = predictions_of(speakers=7, each=30)
    strengths = {test: [TESTS[test].headline] for test in tests}
    random = np.random.default_rng(8)
    said = {
        (test, name): EMOTIONS[int(random.integers(3))] if random.random() < share else before
        for test, share in (("crop_end", 0.05), ("gain", 0.2), ("room", 0.6))
        for name, before in zip(predictions["utterance"], predictions["predicted"], strict=True)
    }

    def change(test, strength, row, _):
        short = row["speaker"] == "s0" or (row["speaker"] == "s3" and row["utterance"] > "u3_05")
        return "too short" if short and test == "crop_end" else said[test, row["utterance"]]

    disturbed = disturbed_of(predictions, strengths, change)
    row = results(EmotionAnswers(disturbed, predictions), strengths).iloc[-1]
    assert (row["test"], row["speakers"], row["utterances"]) == ("all", 7, 210)

    def expected(figure, without=None):
        own = predictions[predictions["speaker"] != without]
        return np.mean(of_each_test(disturbed, own, tests, figure))

    figures = {
        "unchanged": lambda rows: (rows["predicted"] == rows["predicted_before"]).mean(),
        "score": lambda rows: balanced_accuracy_score(rows["label"], rows["predicted"]),
        "clean": lambda rows: balanced_accuracy_score(rows["label"], rows["predicted_before"]),
    }
    figures["change"] = lambda rows: figures["score"](rows) - figures["clean"](rows)
    for what, figure in figures.items():
        assert row[what] == pytest.approx(expected(figure)), what
    assert row["score"] - row["clean"] == pytest.approx(row["change"])
    sizes = np.array([60, 90, 90, 66, 90, 90, 90])
    quantile = stats.t.ppf(0.975, sizes.sum() ** 2 / (sizes**2).sum() - 1)
    errors = {}
    for what in ("score", "change", "unchanged"):
        without = [expected(figures[what], f"s{number}") for number in range(7)]
        errors[what] = quantile * np.sqrt(6 * np.var(without))
    for what in ("score", "change"):
        ends = row[f"{what}_low"], row[f"{what}_high"]
        assert ends == pytest.approx((row[what] - errors[what], row[what] + errors[what])), what
    share = row["unchanged"]
    middle, reach = np.log(share / (1 - share)), errors["unchanged"] / (share * (1 - share))
    ends = [1 / (1 + np.exp(-(middle + sign * reach))) for sign in (-1, 1)]
    assert (row["unchanged_low"], row["unchanged_high"]) == pytest.approx(ends)


def test_intervals_of_all_tests_end_where_figures_can_go_no_further():
    predictions = predictions_of(speakers=2, each=9, right=1.0)
    wrong = lambda row, _: EMOTIONS[(EMOTIONS.index(row["label"]) + 1) % 3]  # noqa: E731
    moved = lambda test, strength, row, random: wrong(row, 0) if row["speaker"] == "s0" else row["predicted"]  # noqa: E731
    row = judged(predictions, moved).iloc[-1]
    assert (row["score"], row["clean"], row["change"], row["unchanged"]) == (0.5, 1, -0.5, 0.5)
    assert (row["score_low"], row["score_high"]) == (0, 1)
    assert (row["change_low"], row["change_high"]) == (-1, 1)
    assert 0 <= row["unchanged_low"] < 0.5 < row["unchanged_high"] <= 1
    same = judged(predictions, some(0.0)).iloc[-1]
    assert same["unchanged"] == same["unchanged_high"] == 1
    assert same["unchanged_low"] < 1, "none of 18 so far is no proof"


def test_a_test_that_one_speaker_alone_takes_is_not_counted_as_failed_where_he_is_left_out():
    """Ratings that nothing moves: every test has the same CCC, whoever is left out."""
    random, tests = np.random.default_rng(4), {"crop_end": [0.03], "gain": [-2.0]}
    predictions = pd.DataFrame(
        {
            "utterance": [f"u{n:02}" for n in range(80)], "speaker": [f"s{n // 20}" for n in range(80)], "gender": "",
            "session": "", "fold": 1, "seed": 0, "value": np.tile(random.normal(3, 1, 20), 4),
        }
    )  # fmt: skip
    predictions["predicted"] = predictions["value"]
    change = lambda test, _, row, __: "too short" if test == "crop_end" and row["speaker"] > "s0" else row["value"]  # noqa: E731
    disturbed = disturbed_of(predictions, tests, change)
    disturbed["predicted"] = pd.to_numeric(disturbed["predicted"])
    row = results(RatingAnswers(disturbed, predictions), tests).iloc[-1]
    assert (row["score"], row["score_low"], row["score_high"]) == pytest.approx((1, 1, 1))
    assert (row["change"], row["change_low"], row["change_high"]) == pytest.approx((0, 0, 0))


def test_models_at_chance_and_those_that_say_one_thing_are_not_judged():
    random = np.random.default_rng(5)
    at_chance = predictions_of().assign(label=lambda rows: random.choice(EMOTIONS, len(rows)))
    found = judged(at_chance, some(0.0))
    assert set(found.loc[found["headline"] == "yes", "verdict"]) == {"not interpretable: at chance"}
    assert set(found["passed"]) == {""}
    whole = found[found["test"] == "all"].iloc[0]
    assert (whole["tests_made"], whole["unchanged"]) == (0, 1)
    assert pd.isna(whole["tests_passed"])
    constant = judged(predictions_of().assign(predicted="anger"), some(0.0))
    assert set(constant.loc[constant["headline"] == "yes", "verdict"]) == {"not interpretable: one class"}


def test_one_speaker_gives_no_interval_and_no_certainty():
    predictions = predictions_of(speakers=1, each=60)
    row = judged(predictions, some(0.0)).iloc[1]
    assert (row["passed"], row["certain"]) == ("yes", "")
    assert np.isnan([row["change_low"], row["unchanged_low"], row["p"]]).all()


def test_answers_without_their_clean_ones_are_refused():
    predictions = predictions_of()
    disturbed = disturbed_of(predictions, TESTS_MADE, some(0.0))
    with pytest.raises(ValueError, match="u0_00 was disturbed, but there is no prediction of it as recorded"):
        EmotionAnswers(disturbed, predictions[predictions["utterance"] != "u0_00"])


@pytest.fixture
def ratings() -> tuple[pd.DataFrame, pd.DataFrame]:
    random, rows = np.random.default_rng(2), []
    for person in range(10):
        for number in range(20):
            value = 1 + 4 * random.random()
            rows.append(
                {
                    "utterance": f"u{person}_{number:02}", "speaker": f"s{person}", "gender": "", "session": "",
                    "fold": 1 + person % 2, "seed": 0, "value": value, "predicted": value + random.normal(0, 0.4),
                }
            )  # fmt: skip
    predictions = pd.DataFrame(rows)
    moved = lambda test, strength, row, random: row["predicted"] + random.normal(0, 0.15) - 0.1  # noqa: E731
    return predictions, disturbed_of(predictions, TESTS_MADE, moved)


def test_ratings_have_a_ccc_and_are_unchanged_within_a_twentieth_of_the_scale(ratings, tmp_path):
    predictions, disturbed = ratings
    answers = RatingAnswers(disturbed, predictions)
    found = results(answers, TESTS_MADE)
    RobustnessResult.write(found, tmp_path / "summary.tsv")
    row = found.set_index(["test", "strength"]).loc[("white_noise", 20.0)]
    own = disturbed[(disturbed["test"] == "white_noise") & (disturbed["strength"] == 20)]
    both = own.merge(predictions, on=["utterance", "fold", "seed"], suffixes=("", "_before"))
    score, clean = (ccc(both[name].to_numpy(), both["value"].to_numpy()) for name in ("predicted", "predicted_before"))
    assert (row["score"], row["clean"], row["change"]) == pytest.approx((score, clean, score - clean))
    scale = predictions["value"].max() - predictions["value"].min()
    apart = (both["predicted"] - both["predicted_before"]).abs()
    assert row["unchanged"] == pytest.approx((apart < 0.05 * scale).mean())
    pairs = np.abs(both["predicted_before"].to_numpy()[:, None] - both["predicted"].to_numpy()[None, :])
    assert row["chance_unchanged"] == pytest.approx((pairs < 0.05 * scale).mean(), abs=1e-3)
    assert row["change_low"] < row["change"] < row["change_high"]
    assert (row["metric"], row["chance"], row["least_change"]) == ("ccc", 0, -0.05)
    assert TESTS["tilt_up"].least_change("ccc") == -0.05
    headlines = found[(found["headline"] == "yes") & (found["test"] != "all")]
    whole = found[found["test"] == "all"].iloc[0]
    assert whole["change"] == pytest.approx(headlines["change"].mean())


def test_the_random_band_of_ratings_is_that_of_shuffled_ones(ratings):
    predictions, disturbed = ratings
    answers = RatingAnswers(disturbed, predictions)
    rows = answers.rows[answers.rows["test"] == "room"]
    random, true = np.random.default_rng(9), rows["value"].to_numpy()
    expected = [
        ccc(random.permutation(rows["predicted"].to_numpy()), true)
        - ccc(random.permutation(rows["before"].to_numpy()), true)
        for _ in range(2000)
    ]
    assert np.quantile(answers.random_changes(rows, 2000), 0.05) == pytest.approx(np.quantile(expected, 0.05), abs=0.02)
