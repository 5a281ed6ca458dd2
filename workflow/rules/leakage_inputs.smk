# What the rules of the stage `leakage` share: which runs are attacked, and by whom, taught on whom.

from candor.tables.leakage import (
    ATTACKS_MADE_OF,
    INVERSION_FIGURE,
    INVERSION_MADE_OF,
    PUBLISHED_FIGURE,
    PUBLISHED_LATEX,
    PUBLISHED_MARKDOWN,
    LEAKAGE_LAYERS_FIGURE,
    LEAKAGE_ROUNDS_FIGURE,
    SHADOW_JSON,
    SHADOW_PACK,
    TRADEOFF_FIGURE,
    Inversions,
    LeakageAttacks,
    LeakageRounds,
    LeakageScores,
    LeakageSummary,
    PublishedDefences,
    PublishedLayers,
    PublishedRecognition,
    ShadowClients,
    ShadowUpdates,
)

SHADOW_SETS = plan_leakage.shadows(LEAKAGE)


def names_of_shadows():
    return list(dict.fromkeys(name for own in SHADOW_SETS.values() for name in own))


def names_of_attacked():
    """Return the names of all runs that are attacked."""
    return list(dict.fromkeys(name for runs in LEAKAGE.values() for name in runs))


def names_of_inverted():
    """Return the names of all runs whose gradients are inverted."""
    inverted = (name for runs in LEAKAGE.values() for name, own in runs.items() if own.inverted)
    return list(dict.fromkeys(inverted)) if CONFIG.leakage.inversions else []


def attacked_of(wildcards):
    return LEAKAGE[wildcards.dataset][wildcards.run]


def shadow_of(wildcards):
    return SHADOW_SETS[wildcards.dataset][wildcards.shadow]


def what_shadow_people_hold(wildcards):
    """Return the clips of shadow people and their features, and a fold of their victims, which says what is told apart."""
    shadow = shadow_of(wildcards)
    dataset, run = wildcards.dataset, shadow.run
    fold = 1 if shadow.datasets else int(wildcards.people.removeprefix("fold"))
    names = {"backbone": run.backbone, "span": run.span}
    sources = shadow.datasets or (dataset,)
    held = {
        "victims": under(FoldTable.path, dataset=dataset, fold=fold),
        "features": [under(FeatureIndex.path, dataset=source, **names) for source in sources],
    }
    if shadow.datasets:
        held["utterances"] = [under(Utterances.path, dataset=source) for source in sources]
    if shadow.imitates_noise:
        held["run"] = under(RUN_JSON, dataset=dataset, run=run.name, fold=fold)
    if run.reads_frames:
        held["frames"] = [under(FrameIndex.path, dataset=source, **names) for source in sources]
    return held


def people_of(attacked):
    """Return all shadow people that attackers of a run learn from, each once: their kind, and what they are called."""
    return list(
        dict.fromkeys(
            (shadow.name, shadow.people(fold))
            for shadow in attacked.shadows.values()
            for fold in attacked.folds
        )
    )


def of_shadows(path, wildcards):
    """Return a file of all shadow federations that attackers of a run learn from."""
    return [
        under(path, dataset=wildcards.dataset, shadow=shadow, people=people)
        for shadow, people in people_of(attacked_of(wildcards))
    ]


def sets_of_shadows(wildcards):
    """Return by what an attacker knows, and fold by fold, the place of his shadows among these."""
    attacked = attacked_of(wildcards)
    places = {people: place for place, people in enumerate(people_of(attacked))}
    return {
        knowledge: [places[shadow.name, shadow.people(fold)] for fold in attacked.folds]
        for knowledge, shadow in attacked.shadows.items()
    }


def of_attacked_folds(path, wildcards):
    attacked = attacked_of(wildcards)
    return [under(path, fold=fold, **wildcards) for fold in attacked.folds]


def what_is_attacked(wildcards):
    """Return what clients sent in each fold, what shadow clients sent, and who all of these people are."""
    victims = {
        "facts": RUN_JSON,
        "clients": ClientsHeld.path,
        "index": UpdateIndex.path,
        "updates": UPDATES,
    }
    shadows = {
        "shadows": SHADOW_JSON,
        "shadow_clients": ShadowClients.path,
        "shadow_index": ShadowUpdates.path,
        "shadow_updates": SHADOW_PACK,
    }
    manifests = [under(Utterances.path, dataset=name) for name in datasets_of_people(wildcards)]
    return {
        **{role: of_attacked_folds(path, wildcards) for role, path in victims.items()},
        **{role: of_shadows(path, wildcards) for role, path in shadows.items()},
        "utterances": manifests,
    }


def what_is_inverted(wildcards):
    """Return what clients sent, the models that they were given, and what their examples are made of."""
    run = attacked_of(wildcards).run
    history = {
        "facts": RUN_JSON,
        "clients": ClientsHeld.path,
        "index": UpdateIndex.path,
        "updates": UPDATES,
        "models_index": ModelIndex.path,
        "models": MODELS,
        "tables": FoldTable.path,
    }
    return {
        **{role: of_attacked_folds(path, wildcards) for role, path in history.items()},
        "features": under(FeatureIndex.path, backbone=run.backbone, span=run.span),
    }


def datasets_of_people(wildcards):
    """Return the dataset of those who are attacked, and those of shadow people."""
    shadows = attacked_of(wildcards).shadows.values()
    others = dict.fromkeys(name for shadow in shadows for name in shadow.datasets)
    return [wildcards.dataset, *others]


def leads_of_people(wildcards):
    """Return what is put before the names of people, by dataset: nothing where they are attacked."""
    own, *others = datasets_of_people(wildcards)
    return ["", *(f"{name}/" for name in others)]


def attack_settings():
    """Return how updates are attacked."""
    asked = CONFIG.leakage
    known = {"attributes", "attackers", "num_epochs", "learning_rate", "updates_seen"}
    ages = {"age_bins": CONFIG.fairness.age_bins} if "age" in asked.attributes else {}
    return {**asked.model_dump(include=known), **ages}


def of_all_attacked(path):
    """Return the input function for a file of all runs on a dataset that are attacked."""
    return lambda wildcards: [
        under(path, dataset=wildcards.dataset, run=name) for name in LEAKAGE[wildcards.dataset]
    ]


def names_of_run(run):
    names = {"dataset": run.dataset, "run": run.name, "backbone": run.backbone}
    return {**names, "entry": run.entry, "model_type": run.settings.model_type}


OVER_ALL_ATTACKED = (LeakageSummary.path, TRADEOFF_FIGURE, PUBLISHED_FIGURE)
OVER_ALL_ATTACKED += (PublishedRecognition.path, PublishedLayers.path, PublishedDefences.path)
OVER_ALL_ATTACKED += (PUBLISHED_LATEX, PUBLISHED_MARKDOWN)
LEAKAGE_OF_A_RUN = (LeakageAttacks.path, LeakageRounds.path, LeakageScores.path, ATTACKS_MADE_OF)
LEAKAGE_OF_A_RUN += (LEAKAGE_LAYERS_FIGURE, LEAKAGE_ROUNDS_FIGURE)
OF_INVERSION = (Inversions.path, INVERSION_MADE_OF, INVERSION_FIGURE)


def finals_of_leakage():
    """Yield every file of the stage that a user asks for."""
    for dataset, runs in LEAKAGE.items():
        for path in OVER_ALL_ATTACKED:
            for form in files_for(path.format(dataset=dataset)):
                yield Final(form, "leakage", dataset)
        for name, attacked in runs.items():
            inverted = attacked.inverted and CONFIG.leakage.inversions
            for path in LEAKAGE_OF_A_RUN + (OF_INVERSION if inverted else ()):
                for form in files_for(path.format(dataset=dataset, run=name)):
                    yield Final(form, "leakage", dataset, attacked.run.backbone, name)
