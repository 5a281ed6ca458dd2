# Every folder below results/ is a target: `results/performance`, `results/performance/demo`,
# `results/performance/demo/fbank`, each with and without a slash at its end.

# What a user asks for: stage, its files, and which wildcards beside the dataset they have.
FINALS = [
    ("corpora", [Utterances.path, Rejected.path, Counts.path]),
    ("audio", [AudioIndex.path]),
    ("splits", [FoldTable.path, SEED_JSON, SplitOverview.path]),
    ("features", [FeatureIndex.path]),
    ("models", [Predictions.path, History.path, RECIPE, CHECKPOINT]),
    (
        "performance",
        [
            Summary.path,
            "performance/{dataset}/ranking.png",
            RunSummary.path,
            PerClass.path,
            ConfusionCounts.path,
            "performance/{dataset}/{backbone}/{recipe}/confusion.png",
        ],
    ),
]


def final_files():
    """Yield stage, dataset and path below project_dir of every file that a user asks for."""
    for stage, templates in FINALS:
        for dataset in DATASETS:
            for template in templates:
                for path in expanded(template, dataset):
                    yield stage, dataset, path


def expanded(template, dataset):
    """Return the paths of one dataset that a template stands for; seeds belong to a recipe."""
    paths = []
    for recipe, entry in CONFIG.recipes.items() if "{recipe}" in template else [("", None)]:
        paths += expand(
            template,
            dataset=dataset,
            backbone=list(CONFIG.backbones),
            recipe=recipe,
            fold=folds_of(dataset),
            seed=entry.seeds if entry else [],
        )
    return list(dict.fromkeys(paths))


def files_of(target):
    """Return the input function of a folder target: its files, once it is sure that the corpora are there."""

    def files(wildcards):
        datasets = [target.dataset] if target.dataset else plan_datasets.at_hand(DATASETS)
        if not target.dataset:
            tell_left_out()
        try:
            for dataset in datasets:
                plan_datasets.require(DATASETS[dataset])
        except ConfigError as error:
            sys.exit(str(error))
        return [under(path) for path in target.files]

    return files


def tell_left_out():
    """Say once which datasets a whole stage leaves out, and which key would bring them in."""
    left_out = sorted({f"data_dir.{entry.key}" for entry in DATASETS.values() if entry.raw is None})
    if left_out and not LEFT_OUT_TOLD:
        LEFT_OUT_TOLD.append(True)
        print(f"candor: left out, because no path is set: {', '.join(left_out)}", file=sys.stderr)


LEFT_OUT_TOLD = []
TARGETS = folder_targets(final_files(), plan_datasets.at_hand(DATASETS))

for target in TARGETS:
    for spelling in target.spellings():

        rule:
            name:
                spelling
            input:
                files_of(target),


def everything_at_hand(wildcards):
    return [
        file for target in TARGETS if not target.dataset for file in files_of(target)(wildcards)
    ]
