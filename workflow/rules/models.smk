# Requires: features and folds.
# Makes: one trained head per fold and seed, what it says about the test speakers, and how the training went.

# The files of a job depend on the recipe's seeds, so each recipe has a rule.
for name, entry in CONFIG.recipes.items():

    rule:
        name:
            f"train_{name}"
        input:
            fold=under(FoldTable.path),
            features=under(FeatureIndex.path),
        output:
            predictions=under(Predictions.path),
            history=under(History.path),
            recipe=under(RECIPE),
            heads=[under(CHECKPOINT, seed=seed) for seed in entry.seeds],
        log:
            log_of("train", "dataset", "backbone", "recipe", "fold"),
        benchmark:
            benchmark_of("train", "dataset", "backbone", "recipe", "fold")
        wildcard_constraints:
            recipe=name,
        conda:
            "../../envs/candor.yml"
        threads: 1
        params:
            recipe=entry.model_dump(),
            store=lambda wildcards: str(STORE),
            code=code("train"),
        message:
            "Training {wildcards.recipe} on {wildcards.backbone}, fold {wildcards.fold} of {wildcards.dataset}"
        script:
            "../scripts/train.py"
