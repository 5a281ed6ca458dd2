# What the rules of the stage `federated` share: which runs there are, what their clients hold, what is kept of them.

from candor.tables.federated import (
    CLIENTS_FIGURE,
    FEDERATED_CURVES_FIGURE,
    MODEL,
    MODELS,
    RUN_JSON,
    RUNS_FIGURE,
    STANDALONE,
    UPDATES,
    ClientsHeld,
    FederatedComparison,
    FederatedPredictions,
    FederatedRunSummary,
    FederatedSummary,
    Judged,
    ModelIndex,
    Participants,
    Rounds,
    RoundsTiming,
    StandaloneModels,
    UpdateIndex,
)

# Digits are no dataset of the corpora, so that the rules of this stage have names of their own in `dataset` and `run`.


def datasets_of_runs(entry=None):
    """Return the datasets that there are runs on; of one entry if it is named."""
    return [
        dataset
        for dataset, runs in FEDERATED.items()
        if any(entry in (None, run.entry) for run in runs.values())
    ]


def names_of_runs(entry=None):
    """Return the names of all runs; of one entry if it is named."""
    runs = [run for runs in FEDERATED.values() for run in runs.values()]
    return list(dict.fromkeys(run.name for run in runs if entry in (None, run.entry)))


def run_of(wildcards):
    return FEDERATED[wildcards.dataset][wildcards.run]


def what_clients_hold(wildcards):
    """Return folds and features of a run; with noise at the microphones also the audio, and who makes features of it."""
    run = run_of(wildcards)
    if not run.backbone:
        return images_of_digits()
    names = {"dataset": run.dataset, "backbone": run.backbone, "span": run.span}
    held = {
        "fold": under(FoldTable.path),
        "features": under(FeatureIndex.path, **names),
        "identity": under(IDENTITY, **names),
    }
    if run.reads_frames:
        held["frames"] = under(FrameIndex.path, **names)
    if run.hears_noise:
        held |= {"audio": under(AudioIndex.path), **weights_of(run)}
    return held


def images_of_digits():
    """Return the files of the user's MNIST; none where scikit-learn's digits are learned."""
    try:
        files = plan_federated.files_of_digits(CONFIG)
    except ConfigError as error:
        sys.exit(str(error))
    return {"mnist": list(map(str, files))} if files else {}


def noised_backbone(wildcards):
    """Return the backbone that makes features of noised audio, and how it is run; None where there is no noise."""
    run = run_of(wildcards)
    if not run.hears_noise:
        return None
    entry = backbone_of(run)
    return {
        "name": run.backbone,
        "family": entry.family,
        "options": entry.options(),
        "seconds": run.settings.audio_duration,
        "precision": precision_of(run.backbone),
    }


def code_of_run(wildcards):
    """Return the fingerprint of a federation, of the one workload that it has, and of what runs a backbone in it."""
    run = run_of(wildcards)
    loaded = [f"candor.federated.workloads.{run.settings.workload}"]
    if run.hears_noise:
        family = backbone_of(run).family
        loaded += ["candor.federated.microphones", f"candor.backbones.families.{family}"]
    return code("federate", *loaded)


def folder_of_images(wildcards):
    """Return the folder of the user's MNIST; None for other workloads, and where scikit-learn's digits are learned."""
    folder = None if run_of(wildcards).backbone else plan_federated.folder_of_digits(CONFIG)
    return folder and str(folder)


def threads_of_run(wildcards):
    """Return how many threads a federation has: small layers gain nothing from a second, a backbone may."""
    run = run_of(wildcards)
    return threads_to_run([run.backbone]) if run.hears_noise else 1


def on_gpu(entry):
    """Tell whether a federation is run on a GPU: dense layers on pooled features only if no other device is asked for."""
    dense = entry.workload == "emotion" and entry.downstream_model == "mlp"
    noised = bool(entry.faults.microphone_noise)
    return CONFIG.device == "cuda" if dense and not noised else GPU_HERE


def kept_of(entry):
    """Return the files of a fold that depend on what an entry wants to be kept, by role."""
    keep = entry.keep
    return {
        **({"model": MODEL} if entry.save_model else {}),
        **({"updates": UPDATES, "updates_index": UpdateIndex.path} if entry.keeps_updates else {}),
        **({"models": MODELS, "models_index": ModelIndex.path} if keep.models_every else {}),
        **(
            {"standalone": STANDALONE, "standalone_table": StandaloneModels.path}
            if keep.standalone
            else {}
        ),
    }


def kept_files(entry):
    return {role: under(path) for role, path in kept_of(entry).items()}


def of_each_fold(path, run):
    """Return a file of a run, fold by fold."""
    return [
        under(path, dataset=run.dataset, run=run.name, fold=fold)
        for fold in range(1, run.folds + 1)
    ]


def what_a_run_gave(wildcards):
    """Return what is told of a run, fold by fold, and what is known of its speakers."""
    run = run_of(wildcards)
    told = {
        "predictions": FederatedPredictions.path,
        "rounds": Rounds.path,
        "judged": Judged.path,
        "clients": ClientsHeld.path,
        "facts": RUN_JSON,
    }
    heard = who_was_heard(run) if run.backbone else {}
    return {**{role: of_each_fold(path, run) for role, path in told.items()}, **heard}


def runs_on(wildcards):
    return FEDERATED[wildcards.dataset].values()


def summaries_of_runs(wildcards):
    return [
        under(FederatedRunSummary.path, dataset=run.dataset, run=run.name)
        for run in runs_on(wildcards)
    ]


def of_all_runs(path):
    """Return the input function for a file of each fold of all runs on a dataset, one run after the other."""
    return lambda wildcards: [
        file for run in runs_on(wildcards) for file in of_each_fold(path, run)
    ]


OF_A_FOLD = (ClientsHeld.path, Rounds.path, Participants.path, Judged.path, RoundsTiming.path)
OF_A_FOLD += (FederatedPredictions.path, RUN_JSON)
OF_A_RUN = (FederatedRunSummary.path, FEDERATED_CURVES_FIGURE, CLIENTS_FIGURE)
OVER_ALL_RUNS = (FederatedSummary.path, FederatedComparison.path, RUNS_FIGURE)


def finals_of_federations():
    """Yield every file of the stage that a user asks for; what is attacked is of attacked runs alone."""
    for dataset, runs in FEDERATED.items():
        for path in OVER_ALL_RUNS:
            for form in files_for(path.format(dataset=dataset)):
                yield Final(form, "federated", dataset, readers=("report",))
        for run in runs.values():
            attacked = run.name in LEAKAGE.get(dataset, {})
            readers = () if attacked else ("report",)
            of_folds = [
                path.format(dataset=dataset, run=run.name, fold=fold)
                for path in (*OF_A_FOLD, *kept_of(run.settings).values())
                for fold in range(1, run.folds + 1)
            ]
            of_run = [path.format(dataset=dataset, run=run.name) for path in OF_A_RUN]
            for path in (*of_run, *of_folds):
                for form in files_for(path):
                    yield Final(form, "federated", dataset, run.backbone, run.name, readers)
