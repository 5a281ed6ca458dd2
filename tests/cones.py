"""Which jobs run again when something of the finished run of the workflow's tests changes.

Two datasets: ravdess with linear on fbank; mine with linear on fbank, and with cnn on fbank and apc_tiny. On fbank both
are federated by fed_avg, mine also by fed_sgd and central. Digits are federated by themselves. Each dataset is a
shadow of the other.
"""

AFTER_TRAINING = ("model_figures", "performance", "performance_table", "comparison")


def each(systems: int, datasets: int, *rules: str) -> dict[str, int]:
    """Return how often rules run: those over all systems once per dataset, the others once per system."""
    over_all = ("performance_table", "comparison", "fairness_table", "attack_table", "privacy_table")
    over_all += ("robustness_table", "cost_table", "cost_timing_table", "trust", "report_summary")
    return {rule: 1 if rule == "trust_overview" else datasets if rule in over_all else systems for rule in rules}


TOLD = ("trust", "trust_overview", "report_summary")
PERFORMANCE = ("performance", "performance_table", "comparison", "cost_table", *TOLD)
FAIRNESS = ("fairness", "fairness_table", *TOLD)
ATTACK_EVALUATED = ("attack_summary", "attack_examples_at_home", "attack_table", *TOLD)
PRIVACY_EVALUATED = ("privacy_summary", "privacy_table", *TOLD)
ROBUSTNESS_EVALUATED = ("robustness_summary", "robustness_table", *TOLD)
TIMED = ("cost_timing", "cost_timing_table")
COST = ("cost", "cost_table", *TIMED, *TOLD)
AUDITS = (
    *(*PERFORMANCE, *FAIRNESS, "attack", *ATTACK_EVALUATED, "privacy", *PRIVACY_EVALUATED),
    *("robustness", *ROBUSTNESS_EVALUATED, *COST),
)
TRAINED = ("model_figures", *AUDITS)
TRAINING = {"train_linear": 6, "train_cnn": 6, "privacy_layers": 3, **each(4, 2, *TRAINED)}
FEATURES = {"features": 3, "frames": 2, **TRAINING}
OF_FBANK = {"features": 2, "frames": 1, "train_linear": 6, "train_cnn": 3, "privacy_layers": 2, **each(3, 2, *TRAINED)}
OF_LINEAR = {"train_linear": 6, **each(2, 2, *TRAINED)}
OF_CNN = {"train_cnn": 6, **each(2, 1, *TRAINED)}
# Whatever models read, one program attacks, disturbs or counts them: an edit of any head has all of them done anew.
ALL_LOOKED_INTO = {"privacy_layers": 3, **each(4, 2, *PRIVACY_EVALUATED, "privacy")}
ALL_RUN = {
    **each(4, 2, *ATTACK_EVALUATED, "attack", *ROBUSTNESS_EVALUATED, "robustness", *COST),
    **ALL_LOOKED_INTO,
}
OF_ONE_MORE = {"train_cnn": 3, **each(1, 1, *TRAINED)}
OF_APC = {"features": 1, "frames": 1, "privacy_layers": 1, "pretraining_figure": 1, **OF_ONE_MORE}
OF_BOTH = {"manifest": 2, "corpora_overview": 2}
PRETRAINING = {"pretrain": 1, "pretraining_figure": 1}
LEAKAGE = {"leakage_shadows": 3, "leakage_attacks": 3, "leakage_inversion": 1, "leakage_table": 2}
OF_SPEECH = {"federate_fed_avg": 6, "federate_fed_sgd": 3, "federate_central": 3}
OF_SPEECH |= {"federated_performance": 4, "federated_table": 2, **LEAKAGE}
OF_DIGITS = {"federate_digits": 5, "federated_performance": 1, "federated_table": 1}
RUNS_EVALUATED = {"federated_performance": 5, "federated_table": 3, "leakage_table": 2}
ALL_FEDERATED = {**OF_SPEECH, **OF_DIGITS, **RUNS_EVALUATED}
OF_FED_AVG = {"federate_fed_avg": 6, "federated_performance": 2, "federated_table": 2}
OF_FED_AVG |= {"leakage_shadows": 2, "leakage_attacks": 2, "leakage_table": 2}
ONE_RUN = {"federated_performance": 1, "federated_table": 1}
# The cone of one dataset, from the manifest on.
UP_TO_FEATURES = ("manifest", "corpora_overview", "audio", "splits_3", "features")
ALL_OF_RAVDESS = {**each(1, 1, *UP_TO_FEATURES, *TRAINED), "privacy_layers": 1, "train_linear": 3}
# Its people are also those whom attackers of mine learn from.
ALL_OF_RAVDESS |= {"federate_fed_avg": 3, **ONE_RUN, **LEAKAGE}
del ALL_OF_RAVDESS["leakage_inversion"]
FUTURE = "from __future__ import annotations\n"

EDITS = [
    (
        "src/candor/performance/metrics.py",
        FUTURE,
        f"{FUTURE}LATER = 1\n",
        each(4, 2, *PERFORMANCE, *FAIRNESS, *ATTACK_EVALUATED, *PRIVACY_EVALUATED, *ROBUSTNESS_EVALUATED)
        | RUNS_EVALUATED,
    ),
    ("src/candor/performance/figures.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, *PERFORMANCE)),
    ("src/candor/fairness/audit.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, *FAIRNESS)),
    ("src/candor/attack/evaluate.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, *ATTACK_EVALUATED)),
    ("src/candor/cost/counting.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, *COST)),
    ("src/candor/cost/energy.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, *TIMED)),
    ("src/candor/cost/figures.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, "cost_table", *TOLD)),
    ("src/candor/robustness/battery.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, *ROBUSTNESS_EVALUATED)),
    ("src/candor/report/page.py", FUTURE, f"{FUTURE}LATER = 1\n", each(4, 2, "report_summary")),
    # The network that attacks updates is trained as any other.
    (
        "src/candor/models/training.py",
        "PLATEAU_PATIENCE = 5",
        "PLATEAU_PATIENCE = 6",
        {**TRAINING, "leakage_attacks": 3, "leakage_table": 2},
    ),
    ("src/candor/models/linear.py", "> 1e-6", "> 2e-6", OF_LINEAR | ALL_RUN),
    # Clients may have the same heads on frames.
    ("src/candor/models/heads/gru.py", FUTURE, f"{FUTURE}LATER = 1\n", OF_CNN | ALL_RUN | OF_SPEECH),
    ("src/candor/backbones/pretraining/settings.py", FUTURE, f"{FUTURE}LATER = 1\n", {"pretrain": 1, **OF_APC}),
    (
        "src/candor/splits/deal.py",
        "if count < folds:",
        "if folds > count:",
        {"splits_3": 2, **TRAINING, **OF_SPEECH},
    ),
    ("src/candor/backbones/families/fbank.py", "32768.0", "32767.0", OF_FBANK | OF_SPEECH),
    (
        "src/candor/audio/conversion.py",
        "32768.0, dtype",
        "32767.0, dtype",
        {"audio": 2, **PRETRAINING, **FEATURES, **OF_SPEECH},
    ),
    ("src/candor/federated/rules/averaging.py", FUTURE, f"{FUTURE}LATER = 1\n", ALL_FEDERATED),
    ("src/candor/federated/run_figures.py", FUTURE, f"{FUTURE}LATER = 1\n", RUNS_EVALUATED),
    ("src/candor/leakage/groups.py", FUTURE, f"{FUTURE}LATER = 1\n", {"leakage_attacks": 3, "leakage_table": 2}),
    ("src/candor/leakage/taking_apart.py", FUTURE, f"{FUTURE}LATER = 1\n", {"leakage_inversion": 1}),
    ("src/candor/federated/workloads/digits.py", FUTURE, f"{FUTURE}LATER = 1\n", OF_DIGITS),
    # Nobody here records with noise.
    ("src/candor/federated/microphones.py", FUTURE, f"{FUTURE}LATER = 1\n", {}),
    ("src/candor/corpora/readers/ravdess.py", FUTURE, f"{FUTURE}LATER = 1\n", ALL_OF_RAVDESS),
    (
        "workflow/scripts/performance_table.py",
        "rows = pd.concat",
        "everything = rows = pd.concat",
        each(4, 2, "performance_table", "comparison", "cost_table", *TOLD),
    ),
]
"""Edits of files, and the jobs of their cones."""

CHANGES = [
    ({"recipes": {"linear": {"num_epochs": 6}}}, OF_LINEAR),
    ({"recipes": {"cnn": {"hidden_size": 9}}}, OF_CNN),
    ({"recipes": {"cnn": {"seeds": [0, 1, 2]}}}, OF_CNN),
    (
        # No recipe reads frames of fbank's first six seconds any more, so that its layers are attacked by others.
        {"recipes": {"cnn": {"audio_duration": 0.3}}},
        {"features": 2, "frames": 2, **OF_CNN, "privacy_layers": 3, "privacy_summary": 3},
    ),
    (
        {"recipes": {"again": {"num_epochs": 2, "hidden_size": 4, "dataset": ["mine"]}}},
        {"train_again": 6, **each(2, 1, *TRAINED)},
    ),
    (
        {"backbones": {"fbank40": {"family": "fbank", "mel_bins": 40}}},
        {"features": 1, "frames": 1, "privacy_layers": 1, **OF_ONE_MORE},
    ),
    ({"backbones": {"apc_tiny": {"pretrain": {"seed": 1}}}}, {"pretrain": 1, **OF_APC}),
    # Snakemake compares the values of params as a set: only as one value do two that change places show.
    ({"recipes": {"linear": {"learning_rate": 0.0001, "weight_decay": 0.005}}}, OF_LINEAR),
    ({"splits": {"seed": 1}}, {"splits_3": 2, **TRAINING, **OF_SPEECH}),
    ({"robustness": {"tests": ["white_noise", "babble"]}}, each(4, 2, "robustness", *ROBUSTNESS_EVALUATED)),
    ({"robustness": {"utterances": 20}}, each(4, 2, "robustness", *ROBUSTNESS_EVALUATED)),
    ({"robustness": {"seeds": "all"}}, each(4, 2, "robustness", *ROBUSTNESS_EVALUATED)),
    ({"cost": {"measured_seconds": 0.2}}, each(4, 2, *TIMED)),
    ({"cost": {"parity": "trust-ser"}}, each(4, 2, "cost", "cost_table", *TOLD)),
    ({"privacy": {"num_epochs": 3}}, ALL_LOOKED_INTO),
    ({"privacy": {"seeds": "all"}}, each(4, 2, "privacy", *PRIVACY_EVALUATED)),
    ({"privacy": {"attributes": ["speaker", "gender"]}}, each(4, 2, "privacy", *PRIVACY_EVALUATED)),
    # Of ravdess no frames are kept.
    ({"privacy": {"max_frames": 7}}, {"privacy_layers": 2, **each(3, 1, *PRIVACY_EVALUATED)}),
    ({"privacy": {"parity": "trust-ser"}}, {"privacy_trust_ser": 2}),
    (
        {"corpora": {"min_duration": 0.2}},
        {**OF_BOTH, "audio": 2, "splits_3": 2, **PRETRAINING, **FEATURES, **OF_SPEECH},
    ),
    ({"datasets": {"ravdess": {"label_policy": "calm_apart"}}}, ALL_OF_RAVDESS),
    ({"backbones": {"fbank": {"mel_bins": 40}}}, OF_FBANK | OF_SPEECH),
    ({"federated": {"fed_avg": {"num_epochs": 4}}}, OF_FED_AVG),
    ({"federated": {"fed_avg": {"keep": {"updates_every": 2}}}}, OF_FED_AVG),
    ({"federated": {"digits": {"clients": 4}}}, OF_DIGITS),
    (
        {"federated": {"fed_prox": {"num_epochs": 2, "feature_type": ["fbank"], "dataset": ["mine"]}}},
        {"federate_fed_prox": 3, **ONE_RUN, "leakage_shadows": 1, "leakage_attacks": 1, "leakage_table": 1},
    ),
    ({"federated": {"central": False}}, {"federated_table": 1}),
    ({"leakage": {"updates_seen": [1]}}, {"leakage_attacks": 3, "leakage_table": 2}),
    ({"leakage": {"shadow_models": 2}}, {"leakage_shadows": 3, "leakage_attacks": 3, "leakage_table": 2}),
    ({"data_dir": {"demo": "synthesise"}, "datasets": {"crema_d_voice": {"corpus": "crema_d"}}}, None),
]
"""Changes of the config, and the jobs of their cones; None where they concern nothing of the run."""
