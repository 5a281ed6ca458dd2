# What the rules of the stage `attack` share: whose models, with whose gradient, on how many threads; clips to listen to.

from candor.corpora import registry
from candor.tables.attack import (
    ATTACK_CURVE_FIGURE,
    ATTACK_GROUPS_FIGURE,
    ATTACK_MADE_OF,
    ATTACK_SYSTEMS_FIGURE,
    EXAMPLE_AUDIO,
    EXAMPLE_FIGURE,
    TRUST_SER_ATTACK,
    VERSIONS,
    AttackBreakdown,
    Attacked,
    AttackExamples,
    AttackResult,
    AttackSummary,
)

EXAMPLES = range(1, CONFIG.attack.examples + 1)


def access_to(wildcards):
    """Return by whose gradient the models of a job are attacked."""
    return plan_attacks.attack_on(CONFIG, wildcards.dataset, wildcards.backbone, wildcards.recipe)


def attacked_seeds(wildcards):
    seeds = CONFIG.recipes[wildcards.recipe].seeds
    return list(seeds) if CONFIG.attack.seeds == "all" else seeds[:1]


def models_on(backbone, wildcards, prefix=""):
    """Return the models of a recipe on a backbone, and what they need besides audio."""
    recipe = CONFIG.recipes[wildcards.recipe]
    span = plan_systems.span_name(recipe.audio_duration)
    names = {"dataset": wildcards.dataset, "backbone": backbone, "recipe": wildcards.recipe}
    files = {
        "heads": [
            under(CHECKPOINT, **names, fold=fold, seed=seed)
            for fold in folds_of(wildcards.dataset)
            for seed in attacked_seeds(wildcards)
        ]
    }
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


def what_is_attacked(wildcards):
    """Return the models of a job, and those of another backbone where these lend their gradient."""
    surrogate = access_to(wildcards).surrogate
    lent = models_on(surrogate, wildcards, "surrogate_") if surrogate else {}
    return {**models_on(wildcards.backbone, wildcards), **lent}


def backbones_of_attack(wildcards):
    return [*filter(None, [wildcards.backbone, access_to(wildcards).surrogate])]


def threads_of_attack(wildcards):
    """Return how many threads a job runs on: small backbones, made by hand or pretrained here, gain nothing from a second.

    It depends on the config alone, so that results do not depend on how many cores there are.
    """
    names = backbones_of_attack(wildcards)
    small = all(name not in WEIGHED or name in PRETRAINED for name in names)
    return 1 if small else BACKBONE_THREADS


def attacking(script):
    """Return the parameters of a job that attacks, as `candor.attack.job.AttackJob` takes them."""

    def fingerprinted(wildcards):
        families = {CONFIG.backbones[name].family for name in backbones_of_attack(wildcards)}
        return code(script, *(f"candor.backbones.families.{family}" for family in sorted(families)))

    return {
        "settings": plan_attacks.settings_of(CONFIG),
        "seeds": attacked_seeds,
        "seconds": lambda wildcards: CONFIG.recipes[wildcards.recipe].audio_duration,
        "own_gradient": lambda wildcards: access_to(wildcards).own_gradient,
        "surrogate": lambda wildcards: access_to(wildcards).surrogate,
        "least_threads": threads_of_attack,
        "store": lambda wildcards: str(STORE),
        "aside": under("unfinished/attack/{dataset}/{backbone}/{recipe}"),
        "code": fingerprinted,
    }


def may_be_passed_on(dataset):
    """Tell whether the licences of all audio of a dataset let it be passed on."""
    corpora = [part.corpus for part in DATASETS[dataset].parts] or [DATASETS[dataset].corpus]
    return all(registry.load(corpus).CARD.redistributable for corpus in corpora)


def example_clip(number, version, passed_on):
    """Return a clip to listen to, in the report if its licence allows that."""
    file = under(EXAMPLE_AUDIO, example=number, version=version)
    return in_report(file, f"example {number}, {version}") if passed_on else file


def example_picture(number, passed_on):
    file = under(EXAMPLE_FIGURE, example=number)
    return in_report(file, f"example {number}, picture") if passed_on else file


def in_report(file, what):
    return report(
        file,
        caption="../report/attack_examples.rst",
        category="Attack",
        subcategory="{dataset}",
        labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": what},
    )
