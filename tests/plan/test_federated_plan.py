"""Which federations are run, on which features, and what is refused before anything is read."""

import pytest

from candor.config.loading import ConfigError, load
from candor.plan import features
from candor.plan.datasets import resolve
from candor.plan.federated import Run, files_of_digits, runs
from candor.plan.privacy import layer_spans
from candor.plan.systems import reads_frames, spans

BACKBONES = {"fbank": None, "apc": None, "apc_demo": False}


def planned(federated, **raw):
    config = load({"backbones": BACKBONES, "federated": federated, **raw})
    return config, runs(config, resolve(config))


def test_every_entry_is_run_on_the_features_of_every_backbone_unless_it_says_otherwise():
    _, made = planned({"fed_avg": None, "here": {"feature_type": ["apc"], "dataset": ["emodb"]}})
    assert list(made["demo"]) == ["fbank_fed_avg", "apc_fed_avg"]
    assert list(made["emodb"]) == ["fbank_fed_avg", "apc_fed_avg", "apc_here"]
    run = made["emodb"]["apc_here"]
    assert (run.dataset, run.entry, run.backbone, run.span, run.folds) == ("emodb", "here", "apc", "first6s", 5)
    assert "demo_unlabelled" not in made


def test_digits_are_a_dataset_without_a_corpus():
    _, made = planned({"digits": None, "skewed": {"workload": "digits", "partition": "dirichlet"}})
    assert list(made) == ["digits"]
    assert [(run.name, run.backbone, run.folds) for run in made["digits"].values()] == [
        ("digits", "", 5),
        ("skewed", "", 5),
    ]
    assert planned({"fed_avg": None})[1].get("digits") is None


SWEPT = {"defence": {"kind": "client_dp", "epsilon": [10, 0.5]}}


def test_an_entry_with_several_budgets_is_a_run_of_each():
    _, made = planned({"guarded": {**SWEPT, "dataset": ["demo"]}, "counted": {**SWEPT, "workload": "digits"}})
    assert [(run.name, run.entry, run.variant) for run in made["demo"].values()] == [
        ("fbank_guarded_eps10", "guarded", "guarded_eps10"),
        ("fbank_guarded_eps0.5", "guarded", "guarded_eps0.5"),
        ("apc_guarded_eps10", "guarded", "guarded_eps10"),
        ("apc_guarded_eps0.5", "guarded", "guarded_eps0.5"),
    ]
    assert [run.settings.options()["defence"]["epsilon"] for run in made["demo"].values()] == [10, 0.5, 10, 0.5]
    assert list(made["digits"]) == ["counted_eps10", "counted_eps0.5"]


def test_mnist_has_one_fold_and_is_looked_for_where_the_config_says(tmp_path):
    config, made = planned({"digits": None}, data_dir={"digits": str(tmp_path)})
    assert made["digits"]["digits"].folds == 1
    with pytest.raises(ConfigError, match=r"^config: data_dir\.digits is '.*'; it holds no file train-images… nor "):
        files_of_digits(config)
    names = [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte",
        "t10k-images.idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ]
    for name in names:
        (tmp_path / name).touch()
    assert sorted(file.name for file in files_of_digits(config)) == sorted(names)
    (tmp_path / names[0]).unlink()
    with pytest.raises(ConfigError, match="it holds no file train-images…; set it to the folder of MNIST's four files"):
        files_of_digits(config)
    gone, _ = planned({"digits": None}, data_dir={"digits": str(tmp_path / "gone")})
    with pytest.raises(ConfigError, match="there is no such folder"):
        files_of_digits(gone)
    assert files_of_digits(planned({"digits": None})[0]) == []


def test_ratings_and_what_has_no_labels_are_left_out_unless_they_are_asked_for():
    datasets = {"aroused": {"corpus": "iemocap", "pred": "arousal"}}
    assert "aroused" not in planned({"fed_avg": None}, datasets=datasets)[1]
    with pytest.raises(ConfigError, match=r"fed_avg\.dataset names aroused, which predicts arousal, but clients learn"):
        planned({"fed_avg": {"dataset": ["aroused"]}}, datasets=datasets)
    with pytest.raises(ConfigError, match=r"fed_avg\.dataset names demo_unlabelled, which has no labels"):
        planned({"fed_avg": {"dataset": ["demo_unlabelled"]}})


@pytest.mark.parametrize(
    ("federated", "raw", "line"),
    [
        ({"x": {"dataset": ["emobd"]}}, {}, r"federated\.x\.dataset is 'emobd'; allowed: .*mean 'emodb'"),
        ({"x": {"feature_type": ["acp"]}}, {}, r"federated\.x\.feature_type is 'acp'; allowed: fbank, apc\. .*'apc'"),
        ({"x": {"dataset": ["digits"]}}, {}, r"federated\.x\.dataset names digits, .*; set workload to 'digits'"),
        (
            {"fed_avg": None, "slow_fed_avg": {"model_type": "fed_avg"}},
            {"backbones": {"apc": None, "apc_slow": {"family": "s3prl", "upstream": "apc", "checkpoint": "x"}}},
            r"federated\.fed_avg on apc_slow and federated\.slow_fed_avg on apc would both be called apc_slow_fed_avg",
        ),
        (
            {"dp": {"defence": {"kind": "local_dp", "epsilon": [5]}}, "dp_eps5": {"num_epochs": 9}},
            {"backbones": {"apc": None}},
            r"federated\.dp on apc and federated\.dp_eps5 on apc would both be called apc_dp_eps5",
        ),
        (
            {},
            {"datasets": {"digits": {"corpus": "folder"}}},
            r"datasets\.digits has the name",
        ),
    ],
)
def test_what_there_is_not_and_names_that_clash_are_refused(federated, raw, line):
    with pytest.raises(ConfigError, match=line) as error:
        planned(federated, **raw)
    assert "\n" not in str(error.value)


def test_entries_whose_names_would_clash_may_be_for_different_datasets():
    backbones = {"apc": None, "apc_slow": {"family": "s3prl", "upstream": "apc", "checkpoint": "x"}}
    apart = {"fed_avg": {"dataset": ["demo"]}, "slow_fed_avg": {"dataset": ["emodb"]}}
    _, made = planned(apart, backbones=backbones)
    assert made["demo"]["apc_slow_fed_avg"].entry == "fed_avg"
    assert made["emodb"]["apc_slow_fed_avg"].entry == "slow_fed_avg"


FEDERATED = {
    "fed_avg": None,
    "whole": {"audio_duration": None, "feature_type": ["apc"]},
    "frames": {"downstream_model": "cnn", "feature_type": ["fbank"], "dataset": ["demo"]},
}
POOLED = {"recipes": {"linear": {"audio_duration": 2.5}}}


def test_features_are_made_for_what_recipes_and_federations_read():
    config, made = planned(FEDERATED, **POOLED)
    assert features.spans(config, made, "demo", "apc") == {"first2.5s": 2.5, "first6s": 6.0, "whole": None}
    assert list(features.spans(config, made, "demo", "fbank")) == ["first2.5s", "first6s"]
    assert features.spans_by_name(config) == {"first2.5s": 2.5, "first6s": 6.0, "whole": None}
    assert features.read_by(config, made, "demo", "apc", "first2.5s") == ("models",)
    assert features.read_by(config, made, "demo", "apc", "whole") == ("federated",)
    both = planned(FEDERATED, recipes={"cnn": None})
    assert features.read_by(*both, "demo", "fbank", "first6s") == ("models", "federated")
    assert features.frames_read_by(*both, "demo", "fbank", "first6s") == ("models", "federated")
    assert features.frames_read_by(*both, "emodb", "fbank", "first6s") == ("models",)
    assert features.frames_read_by(config, made, "demo", "fbank", "first6s") == ("federated",)
    assert features.frames_read_by(config, made, "emodb", "fbank", "first6s") == ()


def test_what_only_a_federation_reads_is_none_of_the_recipes_and_is_not_audited():
    config, _ = planned(FEDERATED, **POOLED)
    for backbone in ("fbank", "apc"):
        assert list(spans(config, "demo", backbone)) == ["first2.5s"]
        assert list(layer_spans(config, "demo", backbone)) == ["first2.5s"]
        assert not reads_frames(config, "demo", backbone, "first6s")


def test_a_run_of_digits_reads_no_features():
    _, made = planned({"digits": None})
    run = made["digits"]["digits"]
    assert isinstance(run, Run)
    assert not run.reads_frames
    assert not run.hears_noise
