"""The first page answers: who is served worst, with what interval, on what n, beyond chance or not; and the attack."""

import math
import re
from base64 import b64encode

import pandas as pd
import pytest

from candor.report.answers import answers
from candor.report.page import page
from candor.trust.profile import profiles
from trust.made_up import found

SYSTEM = {"dataset": "corpus", "backbone": "wavlm", "recipe": "cnn"}


def performance(**changes):
    row = {
        **{"metric": "uar", "value": 0.6, "low": 0.55, "high": 0.65, "chance": 0.25, "interpretable": "yes"},
        **{"utterances": 400, "speakers": 10, **SYSTEM, **changes},
    }
    return row


def gap(**changes):
    return {
        **{"axis": "gender", "metric": "uar", "aggregate": "max", "value": 0.12, "low": 0.04, "high": 0.2, "p": 0.004},
        **{"random_high": 0.05, "higher": "male", "groups": 2, "verdict": "beyond chance", **SYSTEM, **changes},
    }


GROUPS = pd.DataFrame(
    [
        {**{"axis": "gender", "group": "female", "worst": "yes", "value": 0.54, "low": 0.48, "high": 0.6},
         **{"utterances": 200, "speakers": 5}},
        {**{"axis": "race", "group": "A <& B>", "worst": "yes", "value": 0.5, "low": math.nan, "high": math.nan},
         **{"utterances": 90, "speakers": 3}},
    ]
)  # fmt: skip
ATTACK = {
    **{"method": "fgsm", "source": "wavlm", "target": "", "snr": 45.0, "headline": "yes"},
    **{"success": 0.8, "low": 0.7, "high": 0.9, "control": 0.1, "control_low": 0.05, "control_high": 0.2},
    **{"difference": 0.7, "difference_low": 0.6, "difference_high": 0.8, "attacked": 240, "speakers": 10},
    **{"verdict": "beyond control", **SYSTEM},
}
OTHER = {
    **ATTACK, "backbone": "egemaps", "success": math.nan, "control": math.nan, "attacked": math.nan,
    "verdict": "not applicable: no gradient passes through openSMILE",
}  # fmt: skip


def made(performances=None, gaps=None, attack=(ATTACK,)):
    rows = performances or [performance()]
    groups = {(row["backbone"], row["recipe"]): GROUPS for row in [*rows, SYSTEM]}
    attacks = None if attack is None else pd.DataFrame(attack)
    profiled = pd.DataFrame(profiles(found(), "gender"))
    tables = (profiled, pd.DataFrame(rows), pd.DataFrame(gaps or [gap()]), groups, attacks)
    return page(answers("corpus", *tables), b"<svg/>")


def text(html):
    html = html.replace("</td>", "</td> ")
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", "", html, flags=re.S))


def test_each_question_is_answered_in_a_sentence_with_interval_and_n():
    said = text(made())
    assert "corpus: 400 test utterances of 10 speakers" in said
    assert "Best recognised by wavlm · cnn: UAR 60.0 [55.0, 65.0], chance 25.0." in said
    assert (
        "Worst served by gender: female, UAR 54.0 [48.0, 60.0] (n = 200, 5 speakers); 12.0 [4.0, 20.0] points behind "
        "male. Models that hear nothing show up to 5.0; p = 0.004: beyond chance."
    ) in said
    assert (
        "FGSM at 45 dB fools 80.0 [70.0, 90.0] % of the utterances that were right (n = 240, 10 speakers), "
        "random signs as loud 10.0 [5.0, 20.0] %: beyond control."
    ) in said


def test_all_systems_stand_in_the_tables_the_best_first():
    rows = [performance(backbone="egemaps", value=0.4), performance()]
    said = text(made(rows, [gap(backbone="egemaps", verdict="within chance"), gap()], [OTHER, ATTACK]))
    assert said.index("wavlm · cnn 60.0") < said.index("egemaps · cnn 40.0")
    assert "not applicable: no gradient passes through openSMILE" in said


def test_an_attack_says_towards_what_and_by_way_of_whom():
    row = {**ATTACK, "method": "transfer_pgd", "source": "apc", "target": "neutral"}
    assert "PGD towards neutral, by way of apc at 45 dB fools" in text(made(attack=[row]))


def test_what_cannot_be_told_apart_is_said():
    nothing = gap(value=math.nan, low=math.nan, high=math.nan, p=math.nan, random_high=math.nan)
    assert "By gender: cannot be told apart." in text(made(gaps=[{**nothing, "verdict": "cannot be told apart"}]))


def test_a_model_at_chance_is_called_so():
    said = text(made([performance(interpretable="at chance", value=0.26)]))
    assert "(at chance: what follows means nothing)" in said


def test_names_of_groups_cannot_break_the_page():
    html = made(gaps=[gap(axis="race", higher="C", groups=3, low=math.nan, high=math.nan)])
    assert "A &lt;&amp; B&gt;" in html
    assert "A <& B>" not in html
    assert "the widest gap is 12.0 points" in text(html)


@pytest.mark.parametrize("gaps", [[gap(value=math.nan, verdict="nothing to compare")]])
def test_without_groups_it_says_so(gaps):
    assert "No two groups are large enough to be compared." in text(made(gaps=gaps))


def test_ratings_have_no_attack_and_their_own_metric():
    said = text(made([performance(metric="ccc")], [gap(metric="ccc")], attack=None))
    assert "CCC 60.0" in said
    assert "How easily is it fooled?" not in said


@pytest.mark.parametrize(
    ("metric", "told"), [("uar", "In per cent, with"), ("ccc", "In per cent (CCC times 100), with")]
)
def test_the_profiles_say_what_they_are_in(metric, told):
    profiled = pd.DataFrame(profiles(found(metric), "gender"))
    groups = {("wavlm", "cnn"): GROUPS}
    tables = (profiled, pd.DataFrame([performance(metric=metric)]), pd.DataFrame([gap(metric=metric)]), groups, None)
    assert told in text(page(answers("corpus", *tables), b"<svg/>"))


def test_the_page_opens_on_the_profiles_and_their_radar():
    html = made()
    said = text(html)
    row = "wavlm · cnn 65.0 [60.0, 70.0] 10.0 [5.0, 15.0] 60.0 [55.0, 65.0] 80.0 [75.0, 85.0] 75.0 [70.0, 80.0] 10 G"
    assert said.index("Trust profiles") < said.index(row) < said.index("In words") < said.index("How well is emotion")
    assert html.index("<img") < html.index("In words")
    assert b64encode(b"<svg/>").decode() in html


def test_no_line_is_longer_than_the_makers_of_reports_take():
    profiled = pd.DataFrame(profiles(found(), "gender"))
    tables = (profiled, pd.DataFrame([performance()]), pd.DataFrame([gap()]), {("wavlm", "cnn"): GROUPS}, None)
    html = page(answers("corpus", *tables), b"<svg>" + b"x" * 100_000)
    assert max(map(len, html.splitlines())) < 10_000  # docutils: line_length_limit


def test_what_leaks_is_borne_and_costs_is_said_of_the_best():
    said = text(made())
    assert (
        "with a UAR of 80.0 [75.0, 85.0] (chance 50), from the layers of its backbone with 95.0 [90.0, 100.0]" in said
    )
    assert "an equal error rate of 30.0 [25.0, 35.0] % (chance 50)" in said
    assert "area under the ROC 60.0 [55.0, 65.0] % (chance 50)" in said
    assert "Under disturbance 75.0 [70.0, 80.0] % of its predictions stay; 8 of 13 tests are passed." in said
    assert "wavlm · cnn 95.0 [90.0, 100.0] 80.0 [75.0, 85.0] 30.0 [25.0, 35.0] 60.0 [55.0, 65.0]" in said
    assert "takes it 10 G FLOPs; it has 94,000,000 parameters, of which 200,000 were trained." in said
