"""Which runs are attacked, and whom the attacker learns from."""

import pytest

from candor.config.loading import ConfigError, load
from candor.plan import datasets as plan_datasets
from candor.plan import federated, leakage
from candor.plan.targets import unknown_target

PATHS = {"data_dir": {"ravdess": "/data/r", "emodb": "/data/e", "iemocap": "/data/i"}}


FOUR = {"corpus": "ravdess", "classes": ["neutral", "anger", "sadness", "happiness"]}


def plan(**raw):
    config = load({**PATHS, **raw})
    datasets = plan_datasets.resolve(config)
    return leakage.attacked(config, datasets, federated.runs(config, datasets))


def entries(**own):
    return {"federated": {"digits": False, "fed_avg": None, "fed_sgd": None, "central": None, **own}}


def test_runs_with_people_for_clients_and_kept_updates_are_attacked_and_others_are_not():
    more = {
        "dealt": {"partition": "iid"},
        "silent": {"keep": {"updates_every": 0}},
        "shards": {"partition": "speaker_shards"},
        "images": {"workload": "digits"},
    }
    found = plan(backbones={"fbank": None}, **entries(**more))
    assert list(found["ravdess"]) == ["fbank_fed_avg", "fbank_fed_sgd", "fbank_shards"]
    assert "digits" not in found


def test_whoever_asks_for_a_run_that_is_not_attacked_is_told_why():
    more = {"dealt": {"partition": "iid"}, "silent": {"keep": {"updates_every": 0}}}
    raw = {"backbones": {"fbank": None}, "leakage": {"runs": ["fed_avg"]}, **entries(**more)}
    config = load({**PATHS, **raw})
    datasets = plan_datasets.resolve(config)
    told = leakage.left_out(config, datasets, federated.runs(config, datasets))
    assert unknown_target("results/leakage/ravdess/fbank_silent/", [], datasets, told) == (
        "target: results/leakage/ravdess/fbank_silent/ is not offered, as it is of federated.silent, which keeps no "
        "updates; set its keep.updates_every to 1 or more"
    )
    assert "(partition 'iid') are no people" in told["results/leakage/ravdess/fbank_dealt"]
    assert "has no clients" in told["results/leakage/ravdess/fbank_central"]
    assert "do not name" in told["results/leakage/ravdess/fbank_fed_sgd"]
    assert "results/leakage/ravdess/fbank_fed_avg" not in told


def test_without_other_datasets_people_differ_from_fold_to_fold():
    shadow = plan(backbones={"fbank": None}, **entries())["ravdess"]["fbank_fed_avg"].shadows["undefended"]
    assert (shadow.name, shadow.datasets, shadow.people(3)) == ("fbank_fed_avg", (), "fold3")


def test_shadow_people_are_those_of_other_corpora_whatever_the_dataset_is_called():
    found = plan(
        backbones={"fbank": None}, datasets={"r4": FOUR}, leakage={"shadows": ["r4", "emodb", "iemocap"]}, **entries()
    )
    of = {name: runs["fbank_fed_avg"].shadows["undefended"].datasets for name, runs in found.items()}
    assert of["ravdess"] == of["r4"] == ("emodb", "iemocap")
    assert of["emodb"] == ("r4", "iemocap")
    assert found["emodb"]["fbank_fed_avg"].shadows["undefended"].people(2) == "others"


def test_folds_can_be_the_first_alone():
    assert plan(leakage={"folds": "first"})["ravdess"]["fbank_fed_avg"].folds == (1,)
    assert len(plan()["ravdess"]["fbank_fed_avg"].folds) == 5


def test_a_defence_is_attacked_by_who_knows_it_and_by_who_does_not():
    private = {"model_type": "fed_avg", "defence": {"kind": "client_dp", "epsilon": [5, 50]}}
    found = plan(backbones={"fbank": None}, **entries(private=private))["ravdess"]
    assert set(found) == {"fbank_fed_avg", "fbank_fed_sgd", "fbank_private_eps5", "fbank_private_eps50"}
    shadows = found["fbank_private_eps5"].shadows
    assert {knows: shadow.name for knows, shadow in shadows.items()} == {
        "knows": "fbank_private_eps5",
        "does not know": "fbank_fed_avg",  # the same but for the defence, so that its shadows do
    }
    assert shadows["knows"].imitates_noise
    assert not shadows["does not know"].imitates_noise
    assert shadows["does not know"].options["defence"]["kind"] == "none"


def test_a_run_without_an_undefended_twin_has_shadows_of_its_own_for_both_budgets():
    private = {"model_type": "fed_avg", "num_epochs": 7, "defence": {"kind": "local_dp", "epsilon": [5, 50]}}
    found = plan(backbones={"fbank": None}, **entries(private=private))
    names = {own.shadows["does not know"].name for own in found["ravdess"].values() if "does not know" in own.shadows}
    assert names == {"fbank_private.plain"}
    assert set(leakage.shadows(found)["ravdess"]) == {
        "fbank_fed_avg", "fbank_fed_sgd", "fbank_private_eps5", "fbank_private_eps50", "fbank_private.plain",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"leakage": {"runs": ["fed_awg"]}}, "leakage.runs is 'fed_awg'"),
        ({"leakage": {"runs": ["central"]}}, "leakage.runs names central, which has no clients"),
        ({"leakage": {"runs": ["digits"]}}, "leakage.runs names digits, which learns digits"),
        ({"leakage": {"feature_type": ["apk"]}}, "leakage.feature_type is 'apk'"),
        ({"leakage": {"shadows": ["emodbb"]}}, "Did you mean 'emodb'?"),
        ({"leakage": {"shadows": ["demo_unlabelled"]}}, "leakage.shadows is 'demo_unlabelled'"),
        (
            {"leakage": {"shadows": ["ravdess", "r4"]}, "datasets": {"r4": FOUR}},
            "leakage.shadows names ravdess and r4, which are both of ravdess: one person would be two",
        ),
        (
            {"leakage": {"runs": ["dealt"]}, "federated": {"dealt": {"partition": "iid"}}},
            "whose clients (partition 'iid') are no people; set that to auto or speaker or speaker_shards",
        ),
        (
            {"leakage": {"runs": ["silent"]}, "federated": {"silent": {"keep": {"updates_every": 0}}}},
            "which keeps no updates; set its keep.updates_every to 1 or more",
        ),
    ],
)
def test_what_cannot_be_attacked_is_told_in_one_line(raw, said):
    with pytest.raises(ConfigError) as told:
        plan(**raw)
    assert said in str(told.value)
    assert "\n" not in str(told.value)
