# Requires: trained models with their backbones, their test predictions, and audio.
# Makes: what models say of disturbed speech; which tests they pass and how much changes over strengths; per dataset one
# table and one figure of all systems.


# Apart from the evaluation, an edit of which disturbs nothing anew.
rule robustness:
    input:
        unpack(what_is_disturbed),
        folds=lambda wildcards: per_fold(FoldTable.path, wildcards),
        predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
        audio=under(AudioIndex.path),
    output:
        disturbed=under(Disturbed.path),
        made_of=under(ROBUSTNESS_MADE_OF),
    log:
        log_of("robustness", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("robustness", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    threads: threads_of_system
    resources:
        gpu=gpu_of,
        device=CONFIG.device,
        batch_seconds=CONFIG.features.batch_seconds,
    params:
        tests=plan_robustness.tests_of(CONFIG),
        utterances=CONFIG.robustness.utterances,
        seeds=disturbed_seeds,
        seconds=seconds_of,
        pred=lambda wildcards: DATASETS[wildcards.dataset].pred,
        least_threads=threads_of_system,
        store=lambda wildcards: str(STORE),
        aside=under("unfinished/robustness/{dataset}/{backbone}/{recipe}"),
        code=family_code("robustness"),
    message:
        "Disturbing what {wildcards.recipe} on {wildcards.backbone} hears of {wildcards.dataset}"
    script:
        "../scripts/robustness.py"


rule robustness_summary:
    input:
        disturbed=under(Disturbed.path),
        predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
    output:
        summary=under(RobustnessResult.path),
        curves=report(
            under(ROBUSTNESS_CURVES_FIGURE),
            caption="../report/robustness_curves.rst",
            category="Robustness",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "over strength"},
        ),
        prints=in_print(ROBUSTNESS_CURVES_FIGURE),
    log:
        log_of("robustness_summary", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("robustness_summary", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    params:
        tests=plan_robustness.tests_of(CONFIG),
        pred=lambda wildcards: DATASETS[wildcards.dataset].pred,
        code=code("robustness_summary"),
    message:
        "Evaluating the robustness of {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/robustness_summary.py"


rule robustness_table:
    input:
        summaries=lambda wildcards: of_all_systems(RobustnessResult.path, wildcards),
    output:
        summary=report(
            under(RobustnessSummary.path),
            caption="../report/robustness_summary.rst",
            category="Robustness",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "table"},
        ),
        figure=report(
            under(ROBUSTNESS_TESTS_FIGURE),
            caption="../report/robustness_summary.rst",
            category="Robustness",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "tests"},
        ),
        prints=in_print(ROBUSTNESS_TESTS_FIGURE),
    log:
        log_of("robustness_table", "dataset"),
    benchmark:
        benchmark_of("robustness_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        systems=lambda wildcards: list(plan_systems.systems(CONFIG, wildcards.dataset)),
        code=code("robustness_table"),
    message:
        "Comparing the robustness of all backbones and recipes on {wildcards.dataset}"
    script:
        "../scripts/robustness_table.py"
