"""Folders of runs: which files they ask for, and how a slip is answered."""

from candor.plan.targets import Final, folder_targets, offered, unknown_target

FINALS = [
    Final("corpora/d.tsv", "corpora", "d"),
    Final("features/d/a/pooled", "features", "d", "a", readers=("models", "federated")),
    Final("features/d/a/frames", "features", "d", "a", readers=("models",)),
    Final("features/d/b/pooled", "features", "d", "b", readers=("models", "federated")),
    Final("features/d/c/pooled", "features", "d", "c", readers=("federated",)),
    Final("models/d/a", "models", "d", "a"),
    Final("backbones/b", "backbones", "", "b"),
    Final("federated/d/table", "federated", "d"),
    Final("federated/d/a_one", "federated", "d", "a", "a_one"),
    Final("federated/d/b_one", "federated", "d", "b", "b_one"),
    Final("federated/digits/digits", "federated", "digits", "", "digits"),
    Final("report/d", "report", "d"),
]
TARGETS = {target.name: target for target in folder_targets(FINALS, ["d", "digits"])}


def files(name: str) -> set[str]:
    return set(TARGETS[f"results/{name}"].files)


def test_a_run_asks_for_the_features_of_its_backbone_alone():
    assert files("federated/d/a_one") == {"federated/d/a_one", "features/d/a/pooled", "corpora/d.tsv"}
    assert files("federated/d/b_one") == {"federated/d/b_one", "features/d/b/pooled", "corpora/d.tsv", "backbones/b"}


def test_a_dataset_asks_for_all_its_runs_and_nothing_that_only_models_read():
    asked = files("federated/d")
    assert {"federated/d/table", "federated/d/a_one", "federated/d/b_one", "features/d/c/pooled"} <= asked
    assert not {"features/d/a/frames", "models/d/a", "federated/digits/digits"} & asked


def test_models_do_not_ask_for_what_only_federations_read_and_a_report_asks_for_both():
    assert "features/d/c/pooled" not in files("models/d")
    assert {"features/d/c/pooled", "features/d/a/frames", "federated/d/table"} <= files("report/d")
    assert {"features/d/c/pooled", "features/d/a/frames"} <= files("features/d")


def test_digits_rest_on_nothing_and_are_part_of_a_whole_stage():
    assert files("federated/digits") == files("federated/digits/digits") == {"federated/digits/digits"}
    assert "federated/digits/digits" in files("federated")
    assert "federated/digits/digits" in files("report")
    assert "results/features/digits" not in TARGETS


def test_other_stages_of_digits_are_answered_with_what_there_is():
    said = unknown_target("results/performance/digits", TARGETS.values(), {})
    assert said == (
        "target: results/performance/digits is not offered, as digits is no dataset of speech; there are "
        "results/federated/digits, results/federated/digits/digits"
    )
    said = unknown_target("results/federated/digits/digit", TARGETS.values(), {})
    assert said.endswith("allowed in results/federated/digits: digits. Did you mean 'results/federated/digits/digits'?")


def test_clients_learn_classes_not_ratings():
    assert offered("federated", "emotion")
    assert not offered("federated", "arousal")
    assert not offered("federated", "nothing")
