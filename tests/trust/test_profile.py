"""A profile takes the headline figure of each audit, and says why where there is none."""

import math

import pytest

from candor.tables.trust import AXES, TrustAxes, TrustProfile
from candor.trust.profile import axis_rows, profiles
from trust.made_up import NAN, found


def test_one_row_per_system_the_best_first_with_the_headline_figures():
    first, second = profiles(found(), "gender")
    assert (first["backbone"], second["backbone"]) == ("wavlm", "egemaps")
    assert [first[axis] for axis in AXES] == pytest.approx([0.65, 0.1, 0.6, 0.8, 0.75, 1e10])
    assert (first["performance_low"], first["performance_high"]) == pytest.approx((0.6, 0.7))
    assert first["attack_by"] == "FGSM at 45 dB"
    assert (first["privacy_layers"], first["privacy_speaker"], first["privacy_membership"]) == (0.95, 0.3, 0.6)
    assert (first["tests_passed"], first["tests_made"]) == (8, 13)
    assert (first["parameters"], first["trainable"]) == (94_000_000, 200_000)


def test_the_gap_is_between_the_groups_that_are_asked_for():
    assert profiles(found(), "gender+race")[0]["fairness"] == pytest.approx(0.3)


def test_groups_that_a_corpus_lacks_leave_the_gap_blank_with_the_reason():
    first, _ = profiles(found(), "age")
    assert math.isnan(first["fairness"])
    assert first["fairness_verdict"] == "no audit by age"


def test_what_cannot_be_attacked_says_why():
    why = "not applicable: no gradient passes through openSMILE"
    cells = {"headline": "yes", "success": NAN, "low": NAN, "high": NAN, "control": NAN, "snr": NAN, "method": "none"}
    made = found()
    none = type(made.attack)([{**made.attack.iloc[0].to_dict(), **cells, "verdict": why}])
    first, _ = profiles(type(made)(**{**vars(made), "attack": none}), "gender")
    assert math.isnan(first["attack"])
    assert (first["attack_by"], first["attack_transfer"], first["attack_verdict"]) == ("", "", why)


@pytest.mark.parametrize(("method", "lent"), [("fgsm", "no"), ("transfer_fgsm", "yes"), ("transfer_pgd", "yes")])
def test_an_attack_by_another_backbones_gradient_is_marked(method, lent):
    first, second = profiles(found(attack={"method": method}), "gender")
    assert (first["attack_transfer"], second["attack_transfer"]) == (lent, "no")


def test_ratings_have_their_own_metric_and_no_attack():
    first, _ = profiles(found("ccc", attacked=False), "gender")
    assert (first["metric"], first["performance"]) == ("ccc", 0.65)
    assert first["attack_verdict"] == "not applicable: ratings are no classes"


def test_of_several_attacks_the_one_asked_for_first_counts():
    made = found()
    more = made.attack.assign(method="pgd", success=0.99)
    both = type(made)(
        **{**vars(made), "attack": type(made.attack)([*made.attack.to_dict("records"), *more.to_dict("records")])}
    )
    first, _ = profiles(both, "gender")
    assert (first["attack"], first["attack_by"]) == (0.6, "FGSM at 45 dB")


def test_rows_pass_their_contracts_and_are_read_back(tmp_path):
    rows = profiles(found(), "gender")
    TrustProfile.write(rows, tmp_path / "summary.tsv")
    back = TrustProfile.read(tmp_path / "summary.tsv").to_dict("records")
    TrustAxes.write([row for profile in back for row in axis_rows(profile)], tmp_path / "axes.tsv")
    axes = TrustAxes.read(tmp_path / "axes.tsv").set_index(["backbone", "axis"])
    assert axes.loc[("wavlm", "attack"), "place"] == pytest.approx(0.4)
    assert axes.loc[("wavlm", "attack"), "beside_place"] == pytest.approx(0.9)
    assert axes.loc[("wavlm", "performance"), "place"] == pytest.approx((0.65 - 0.25) / 0.75)
    assert axes.loc[("wavlm", "cost"), "place"] == pytest.approx(0.2)
    assert math.isnan(axes.loc[("wavlm", "cost"), "place_low"])


def test_the_lower_end_of_a_place_is_the_worse_end_of_the_interval():
    rows = {row["axis"]: row for row in axis_rows(profiles(found(), "gender")[0])}
    for row in rows.values():
        if not math.isnan(row["place_low"]):
            assert row["place_low"] <= row["place"] <= row["place_high"]
    assert rows["fairness"]["place_low"] == pytest.approx(1 - 0.15 / 0.5)


def test_a_model_at_chance_makes_every_other_verdict_say_so():
    rows = {
        row["axis"]: row for row in axis_rows(profiles(found(performance={"interpretable": "at chance"}), "gender")[0])
    }
    assert rows["attack"]["note"] == rows["fairness"]["note"] == "not interpretable: at chance"


def test_two_rows_for_one_figure_are_refused():
    made = found()
    doubled = type(made.cost)([*made.cost.to_dict("records"), made.cost.iloc[0].to_dict()])
    with pytest.raises(ValueError, match="one row was meant"):
        profiles(type(made)(**{**vars(made), "cost": doubled}), "gender")
