# What the rules of audits share that take trained models: whose seeds, their files, on how many threads they run.


def seeds_asked_for(asked, wildcards):
    """Return the seeds whose models an audit takes, which its config wants to be `first` or `all`."""
    seeds = recipe_of(wildcards).seeds
    return list(seeds) if asked == "all" else seeds[:1]


def heads_of(backbone, wildcards, seeds):
    """Return the models of a recipe on a backbone, fold by fold."""
    names = {"dataset": wildcards.dataset, "backbone": backbone, "recipe": wildcards.recipe}
    return [
        under(CHECKPOINT, **names, fold=fold, seed=seed)
        for fold in folds_of(wildcards.dataset)
        for seed in seeds
    ]


def models_on(backbone, wildcards, seeds, prefix=""):
    """Return the models of a recipe on a backbone, and what they need besides audio."""
    recipe = recipe_of(wildcards)
    span = plan_systems.span_name(recipe.audio_duration)
    names = {"dataset": wildcards.dataset, "backbone": backbone, "recipe": wildcards.recipe}
    files = {"heads": heads_of(backbone, wildcards, seeds)}
    if backbone in WEIGHED:
        files["weights"] = under(Weights.path, backbone=backbone)
    # Where each speaker has a normalisation of his own, it is not part of the model.
    if recipe.norm_scope == "speaker":
        kind, path = {
            "znorm": ("pooled", FeatureIndex.path),
            "minmax": ("frames", FrameIndex.path),
        }[recipe.norm]
        files[kind] = under(path, **names, span=span)
    return {f"{prefix}{role}": file for role, file in files.items()}


def threads_to_run(backbones):
    """Return how many threads a job runs these on: small ones, made by hand or pretrained here, gain nothing from a second.

    It depends on the config alone, so that results do not depend on how many cores there are.
    """
    small = all(name not in WEIGHED or name in PRETRAINED for name in backbones)
    return 1 if small else BACKBONE_THREADS


def threads_of_system(wildcards):
    return threads_to_run([wildcards.backbone])
