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
    return seeds_asked_for(CONFIG.attack.seeds, wildcards)


def what_is_attacked(wildcards):
    """Return the models of a job, and those of another backbone where these lend their gradient."""
    surrogate = access_to(wildcards).surrogate
    lent = (
        models_on(surrogate, wildcards, attacked_seeds(wildcards), "surrogate_")
        if surrogate
        else {}
    )
    return {**models_on(wildcards.backbone, wildcards, attacked_seeds(wildcards)), **lent}


def backbones_of_attack(wildcards):
    return [*filter(None, [wildcards.backbone, access_to(wildcards).surrogate])]


def threads_of_attack(wildcards):
    return threads_to_run(backbones_of_attack(wildcards))


def attacking(script):
    """Return the parameters of a job that attacks, as `candor.attack.job.AttackJob` takes them."""

    def fingerprinted(wildcards):
        families = {CONFIG.backbones[name].family for name in backbones_of_attack(wildcards)}
        return code(script, *(f"candor.backbones.families.{family}" for family in sorted(families)))

    return {
        "settings": plan_attacks.settings_of(CONFIG),
        "seeds": attacked_seeds,
        "seconds": seconds_of,
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
