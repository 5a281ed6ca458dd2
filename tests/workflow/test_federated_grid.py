"""fed-ser-leakage's whole grid, its six features on its three corpora by its two algorithms, planned fold by fold."""

import pytest

pytestmark = pytest.mark.workflow

FEATURES = ("emobase", "apc", "vq_apc", "npc", "decoar2", "tera")
ALGORITHMS = ("fed_avg", "fed_sgd")
FILES = {
    "crema_d": "AudioWAV/1001_DFA_ANG_XX.wav",
    "iemocap": "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    "msp_improv": "Evalution.txt",
}
FOLDS = 5
PUBLISHED = {name: {"parity": "fed-ser-leakage"} for name in FILES}
# MSP-Improv has six sessions, and a fold for each unless it is told to deal them out to five.
OWN = {"msp_improv": {"splits": {"folds": FOLDS}}}


def test_each_budget_is_a_run_of_its_own(fresh, tmp_path):
    fresh.config = {}
    changes = {
        "data_dir": {"demo_unlabelled": None},
        "backbones": {"fbank": None, "apc_demo": False},
        "federated": {
            **dict.fromkeys(("fed_avg", "fed_sgd", "central", "digits"), False),
            "dp": {"defence": {"kind": "client_dp", "epsilon": [0.5, 10, 50]}},
        },
        "project_dir": str(tmp_path / "out"),
    }
    planned = fresh.jobs("results/federated", **changes)
    assert {name: planned[name] for name in ("federate_dp", "federated_performance", "federated_table")} == {
        **{"federate_dp": 3 * FOLDS, "federated_performance": 3, "federated_table": 1},
    }
    assert fresh.jobs("results/federated/demo/fbank_dp_eps0.5", **changes)["federate_dp"] == FOLDS


@pytest.mark.parametrize(
    ("datasets", "run"),
    [(PUBLISHED, {"parity": "fed-ser-leakage", "select_after": 100}), (OWN, {})],
    ids=["as published", "no dyad is cut"],
)
def test_the_six_features_on_the_three_corpora_are_planned_for_both_algorithms_and_five_folds(
    fresh, tmp_path, datasets, run
):
    for corpus, file in FILES.items():
        path = tmp_path / corpus / file
        path.parent.mkdir(parents=True)
        path.touch()
    fresh.config = {}
    changes = {
        "data_dir": {"demo": None, "demo_unlabelled": None, **{name: str(tmp_path / name) for name in FILES}},
        "datasets": datasets,
        "backbones": {"fbank": False, "apc_demo": False, **dict.fromkeys(FEATURES)},
        "federated": {**dict.fromkeys(ALGORITHMS, run), "central": False, "digits": False},
        "project_dir": str(tmp_path / "out"),
    }
    runs = len(FILES) * len(FEATURES) * len(ALGORITHMS)
    assert fresh.jobs("results/federated", **changes) == {
        **dict.fromkeys(["manifest", "corpora_overview", "audio", f"splits_{FOLDS}", "federated_table"], len(FILES)),
        "weights": len(FEATURES) - 1,  # openSMILE's emobase has none
        "features": len(FILES) * len(FEATURES),
        **{f"federate_{name}": len(FILES) * len(FEATURES) * FOLDS for name in ALGORITHMS},
        "federated_performance": runs,
    }
