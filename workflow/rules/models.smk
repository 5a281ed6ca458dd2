# Requires: folds, and hidden states or, where the backbone is tuned, audio and its weights.
# Makes: one trained model per fold and seed, what it says about the test speakers, how the training went, and pictures of that.

# The files of a job depend on the recipe's seeds, and what it reads on its mode, so each recipe has a rule.
for name, entry in CONFIG.recipes.items():

    rule:
        name:
            f"train_{name}"
        input:
            unpack(what_is_trained_on(entry)),
            fold=under(FoldTable.path),
        output:
            predictions=under(Predictions.path),
            history=under(History.path),
            layers=under(LayerWeights.path),
            recipe=under(RECIPE),
            timing=under(TrainingTiming.path),
            heads=[under(CHECKPOINT, seed=seed) for seed in entry.seeds],
        log:
            log_of("train", "dataset", "backbone", "recipe", "fold"),
        benchmark:
            benchmark_of("train", "dataset", "backbone", "recipe", "fold")
        wildcard_constraints:
            recipe=name,
        conda:
            "../../envs/candor.yml"
        threads: BACKBONE_THREADS if reading(entry) == "audio" else 1
        resources:
            gpu=0 if reading(entry) == "pooled" else int(GPU_HERE),
            device=CONFIG.device,
            batch_seconds=CONFIG.features.batch_seconds,
        params:
            **training(entry),
        message:
            "Training {wildcards.recipe} on {wildcards.backbone}, fold {wildcards.fold} of {wildcards.dataset}"
        script:
            # By a parameter: what stands here is looked up when a job runs, and `entry` is the last recipe then.
            "../scripts/train_{params.reads}.py"


rule model_figures:
    input:
        histories=lambda wildcards: per_fold(History.path, wildcards),
        layers=lambda wildcards: per_fold(LayerWeights.path, wildcards),
    output:
        curves=report(
            under(CURVES_FIGURE),
            caption="../report/curves.rst",
            category="Models",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "curves"},
        ),
        layers=report(
            under(LAYERS_FIGURE),
            caption="../report/layers.rst",
            category="Models",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "layers"},
        ),
        prints=in_print(CURVES_FIGURE) + in_print(LAYERS_FIGURE),
    log:
        log_of("model_figures", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("model_figures", "dataset", "backbone", "recipe")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        score=lambda wildcards: "UAR" if DATASETS[wildcards.dataset].pred == "emotion" else "CCC",
        code=code("model_figures"),
    message:
        "Drawing how {wildcards.recipe} was trained on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/model_figures.py"
