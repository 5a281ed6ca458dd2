# Requires: the predictions of all folds, and what their train parts share with test.
# Makes: UAR, accuracy and macro-F1 with intervals, recalls, confusions; one table and one ranking per dataset.


rule performance:
    input:
        predictions=predictions_of,
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
    log:
        log_of("performance", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("performance", "dataset", "backbone", "recipe")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        code=code("performance"),
    message:
        "Evaluating {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/performance.py"


rule performance_table:
    input:
        summaries=summaries_of,
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
    log:
        log_of("performance_table", "dataset"),
    benchmark:
        benchmark_of("performance_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        code=code("performance_table"),
    message:
        "Comparing all backbones and recipes on {wildcards.dataset}"
    script:
        "../scripts/performance_table.py"
