# Requires: the predictions of all folds, and what their train parts share with test.
# Makes: UAR, accuracy and macro-F1 with intervals, recalls, confusions, or CCC and MAE of ratings; per dataset one table, one
# ranking, and every two backbones and recipes compared.


rule performance:
    input:
        unpack(who_was_heard),
        predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
        splits=under(SplitOverview.path),
    output:
        summary=under(RunSummary.path),
        per_class=under(PerClass.path),
        confusion=under(ConfusionCounts.path),
        evaluated=under(EVALUATED),
        figure=report(
            under(CONFUSION_FIGURE),
            caption="../report/confusion.rst",
            category="Performance",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "confusions"},
        ),
        prints=in_print(CONFUSION_FIGURE),
    log:
        log_of("performance", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("performance", "dataset", "backbone", "recipe")
    wildcard_constraints:
        dataset=one_of(name for name in DATASETS if DATASETS[name].pred == "emotion"),
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        code=code("performance"),
    message:
        "Evaluating {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/performance.py"


rule performance_ratings:
    input:
        unpack(who_was_heard),
        predictions=lambda wildcards: per_fold(RatingPredictions.path, wildcards),
        splits=under(SplitOverview.path),
    output:
        summary=under(RunSummary.path),
        evaluated=under(EVALUATED),
        figure=report(
            under(RATING_FIGURE),
            caption="../report/ratings.rst",
            category="Performance",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "ratings"},
        ),
        prints=in_print(RATING_FIGURE),
    log:
        log_of("performance", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("performance", "dataset", "backbone", "recipe")
    wildcard_constraints:
        dataset=one_of(RATED),
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        pred=lambda wildcards: DATASETS[wildcards.dataset].pred,
        code=code("performance_ratings"),
    message:
        "Evaluating {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/performance_ratings.py"


rule performance_table:
    input:
        summaries=lambda wildcards: of_all_systems(RunSummary.path, wildcards),
    output:
        summary=report(
            under(Summary.path),
            caption="../report/summary.rst",
            category="Performance",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "table"},
        ),
        figure=report(
            under(RANKING_FIGURE),
            caption="../report/ranking.rst",
            category="Performance",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "ranking"},
        ),
        prints=in_print(RANKING_FIGURE),
    log:
        log_of("performance_table", "dataset"),
    benchmark:
        benchmark_of("performance_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        metric=lambda wildcards: "ccc" if wildcards.dataset in RATED else "uar",
        code=code("performance_table"),
    message:
        "Comparing all backbones and recipes on {wildcards.dataset}"
    script:
        "../scripts/performance_table.py"


rule comparison:
    input:
        predictions=predictions_of_all_systems,
        summary=under(Summary.path),
    output:
        comparison=report(
            under(Comparison.path),
            caption="../report/comparison.rst",
            category="Performance",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "comparison, table"},
        ),
        figure=report(
            under(COMPARISON_FIGURE),
            caption="../report/comparison.rst",
            category="Performance",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "comparison"},
        ),
        prints=in_print(COMPARISON_FIGURE),
        summary_tex=under(SUMMARY_LATEX),
        summary_md=under(SUMMARY_MARKDOWN),
        comparison_tex=under(COMPARISON_LATEX),
        comparison_md=under(COMPARISON_MARKDOWN),
    log:
        log_of("comparison", "dataset"),
    benchmark:
        benchmark_of("comparison", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        metric=lambda wildcards: "ccc" if wildcards.dataset in RATED else "uar",
        systems=lambda wildcards: list(plan_systems.systems(CONFIG, wildcards.dataset)),
        folds=lambda wildcards: DATASETS[wildcards.dataset].folds,
        code=code("comparison"),
    message:
        "Comparing every two backbones and every two recipes on {wildcards.dataset}"
    script:
        "../scripts/comparison.py"
