# Which files a user asks for by the name of a folder: of which datasets, backbones and recipes, and what is said of a folder
# that is none.


def names_in(template, dataset):
    """Yield what the wildcards of a final file stand for, as far as this dataset has such a file."""
    stage = template.split("/")[0]
    if "{recipe}" in template:
        for backbone, recipe in SYSTEMS_OF.get(stage, plan_systems.systems)(CONFIG, dataset):
            names = {"backbone": [backbone], "recipe": [recipe]}
            seeds = CONFIG.recipes[recipe].seeds
            yield {**names, "seed": seeds, "example": EXAMPLES, "version": VERSIONS}
    elif "{span}" in template:
        for backbone in CONFIG.backbones:
            for span in SPANS_OF[stage](dataset, backbone):
                if template not in OF_FRAMES or OF_FRAMES[template](dataset, backbone, span):
                    yield {"backbone": [backbone], "span": [span]}
    elif template not in OVER_ALL_SYSTEMS or any(plan_systems.systems(CONFIG, dataset)):
        yield {}


# Stages that have no files of some systems, or of some spans.
SYSTEMS_OF = {"attack": plan_attacks.attacked_systems}
SPANS_OF = {
    "features": functools.partial(plan_features.spans, CONFIG, FEDERATED),
    "privacy": functools.partial(plan_privacy.layer_spans, CONFIG),
}
OF_FRAMES = {
    FrameIndex.path: functools.partial(plan_features.frames_read_by, CONFIG, FEDERATED),
    TRUST_SER_PRIVACY: functools.partial(plan_systems.reads_frames, CONFIG),
}
READ_BY = {
    FeatureIndex.path: functools.partial(plan_features.read_by, CONFIG, FEDERATED),
    IDENTITY: functools.partial(plan_features.read_by, CONFIG, FEDERATED),
    FrameIndex.path: OF_FRAMES[FrameIndex.path],
}
OF_EMOTIONS = (PerClass.path, ConfusionCounts.path, CONFUSION_FIGURE)
OF_EMOTIONS += (GroupRecalls.path, GroupConfusions.path, GROUPS_FIGURE, TRUST_SER_FAIRNESS)
COMPARED = (Comparison.path, COMPARISON_FIGURE, SUMMARY_LATEX, SUMMARY_MARKDOWN)
COMPARED += (COMPARISON_LATEX, COMPARISON_MARKDOWN)
OVER_ALL_SYSTEMS = (Summary.path, RANKING_FIGURE, *COMPARED, FairnessSummary.path, SYSTEMS_FIGURE)
OVER_ALL_SYSTEMS += (AttackSummary.path, ATTACK_SYSTEMS_FIGURE, ANSWERS)
OVER_ALL_SYSTEMS += (PrivacySummary.path, PRIVACY_SYSTEMS_FIGURE)
OVER_ALL_SYSTEMS += (RobustnessSummary.path, ROBUSTNESS_TESTS_FIGURE)
OVER_ALL_SYSTEMS += (CostSummary.path, CostTiming.path, JobTiming.path, PARETO_FIGURE)
OVER_ALL_SYSTEMS += (TrustProfile.path, TrustAxes.path, RADAR_FIGURE, TRUST_LATEX, TRUST_MARKDOWN)


def is_made_of(template, dataset):
    """Tell whether a stage makes such a file of a dataset that predicts what this one does."""
    pred = DATASETS[dataset].pred
    if template in OF_EMOTIONS:
        return pred == "emotion"
    return template != RATING_FIGURE or dataset in RATED


def readers_of(template, dataset, names):
    """Return the stages that read hidden states of a span; none for files that all which rest on their stage read."""
    if template not in READ_BY:
        return ()
    return READ_BY[template](dataset, names["backbone"][0], names["span"][0])


def files_for(path):
    """Return a file, and with a figure also those for print."""
    return forms_of(path) if path.endswith(".png") else [path]


def final_files(templates):
    """Yield every file that a user asks for; seeds belong to a recipe, folds to a dataset."""
    for template in templates:
        stage = template.split("/")[0]
        if "{" not in template:
            if profiled_datasets():
                for form in files_for(template):
                    yield Final(form, stage, "")
            continue
        if "{dataset}" not in template:
            for backbone in WEIGHED if template == Weights.path else PRETRAINED:
                for form in files_for(template.format(backbone=backbone)):
                    yield Final(form, stage, "", backbone)
            continue
        for dataset in DATASETS:
            if not offered(stage, DATASETS[dataset].pred) or not is_made_of(template, dataset):
                continue
            for names in names_in(template, dataset):
                paths = expand(template, dataset=dataset, fold=folds_of(dataset), **names)
                backbone, readers = names.get("backbone", [""])[0], readers_of(
                    template, dataset, names
                )
                for path in dict.fromkeys(paths):
                    for form in files_for(path):
                        yield Final(form, stage, dataset, backbone, readers=readers)


def files_of(target):
    """Return the input function of a folder target: its files, once it is sure that the corpora are there."""

    def files(wildcards):
        datasets = [target.dataset] if target.dataset else AT_HAND
        if not target.dataset:
            tell_left_out()
        try:
            for dataset in datasets:
                require(dataset, target.stage)
        except ConfigError as error:
            sys.exit(str(error))
        return [under(path) for path in target.files]

    return files


def require(dataset, stage):
    """Raise unless what a stage reads of a dataset is where the config says."""
    if dataset in DATASETS:
        plan_datasets.require(DATASETS[dataset], splits=rests_on(stage, "splits"))
    elif rests_on(stage, "federated"):
        plan_federated.files_of_digits(CONFIG)


def refuse_unknown(wildcards):
    """Say what is wrong with the name of a folder that is no target, and end."""
    left_out = plan_leakage.left_out(CONFIG, DATASETS, FEDERATED)
    sys.exit(unknown_target(wildcards.folder, TARGETS, DATASETS, left_out))


LEFT_OUT_TOLD = []


def tell_left_out():
    """Say once which datasets a whole stage leaves out, and which key would bring them in."""
    unset = (DATASETS[name].key for name in READ if DATASETS[name].raw is None)
    left_out = sorted({f"data_dir.{key}" for key in unset})
    if left_out and not LEFT_OUT_TOLD:
        LEFT_OUT_TOLD.append(True)
        print(f"candor: left out, because no path is set: {', '.join(left_out)}", file=sys.stderr)


def everything_at_hand(wildcards):
    return [
        file for target in TARGETS if not target.dataset for file in files_of(target)(wildcards)
    ]
