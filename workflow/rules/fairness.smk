# Requires: the test predictions of all folds, and the manifest.
# Makes: how well each group of speakers is served, how far groups differ, and whether that is more than chance shows; per
# dataset one table and one figure of all systems.


rule fairness:
    input:
        predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
        utterances=under(Utterances.path),
    output:
        **({"trust_ser": under(TRUST_SER_FAIRNESS)} if CONFIG.fairness.parity else {}),
        gaps=under(Gaps.path),
        groups=under(Groups.path),
        recalls=under(GroupRecalls.path),
        confusion=under(GroupConfusions.path),
        folds=under(FoldGaps.path),
        audited=under(AUDITED),
        gaps_figure=report(
            under(GAPS_FIGURE),
            caption="../report/fairness_gaps.rst",
            category="Fairness",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "gaps"},
        ),
        speakers_figure=report(
            under(SPEAKERS_FIGURE),
            caption="../report/fairness_speakers.rst",
            category="Fairness",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "speakers"},
        ),
        groups_figure=report(
            under(GROUPS_FIGURE),
            caption="../report/fairness_groups.rst",
            category="Fairness",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "groups"},
        ),
        prints=in_print(GAPS_FIGURE) + in_print(SPEAKERS_FIGURE) + in_print(GROUPS_FIGURE),
    log:
        log_of("fairness", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("fairness", "dataset", "backbone", "recipe")
    wildcard_constraints:
        dataset=one_of(name for name in DATASETS if DATASETS[name].pred == "emotion"),
    conda:
        "../../envs/candor.yml"
    params:
        asked=CONFIG.fairness.model_dump(exclude={"parity"}),
        code=code("fairness"),
    message:
        "Auditing the fairness of {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/fairness.py"


rule fairness_ratings:
    input:
        predictions=lambda wildcards: per_fold(RatingPredictions.path, wildcards),
        utterances=under(Utterances.path),
    output:
        gaps=under(Gaps.path),
        groups=under(Groups.path),
        folds=under(FoldGaps.path),
        audited=under(AUDITED),
        gaps_figure=report(
            under(GAPS_FIGURE),
            caption="../report/fairness_gaps.rst",
            category="Fairness",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "gaps"},
        ),
        speakers_figure=report(
            under(SPEAKERS_FIGURE),
            caption="../report/fairness_speakers.rst",
            category="Fairness",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "speakers"},
        ),
        prints=in_print(GAPS_FIGURE) + in_print(SPEAKERS_FIGURE),
    log:
        log_of("fairness", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("fairness", "dataset", "backbone", "recipe")
    wildcard_constraints:
        dataset=one_of(RATED),
    conda:
        "../../envs/candor.yml"
    params:
        asked=CONFIG.fairness.model_dump(exclude={"parity"}),
        code=code("fairness_ratings"),
    message:
        "Auditing the fairness of {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/fairness_ratings.py"


rule fairness_table:
    input:
        gaps=lambda wildcards: of_all_systems(Gaps.path, wildcards),
    output:
        summary=report(
            under(FairnessSummary.path),
            caption="../report/fairness_summary.rst",
            category="Fairness",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "table"},
        ),
        figure=report(
            under(SYSTEMS_FIGURE),
            caption="../report/fairness_summary.rst",
            category="Fairness",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "systems"},
        ),
        prints=in_print(SYSTEMS_FIGURE),
    log:
        log_of("fairness_table", "dataset"),
    benchmark:
        benchmark_of("fairness_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        systems=lambda wildcards: list(plan_systems.systems(CONFIG, wildcards.dataset)),
        code=code("fairness_table"),
    message:
        "Comparing the fairness of all backbones and recipes on {wildcards.dataset}"
    script:
        "../scripts/fairness_table.py"
