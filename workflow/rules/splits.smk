# Requires: a manifest.
# Makes: one table per fold, the same as trust-ser's JSON, and an overview of all folds.

# The files of a job depend on the number of folds, so there is one rule for each number in use.
for count in sorted({dataset.folds for dataset in DATASETS.values()} - {0}):

    rule:
        name:
            f"splits_{count}"
        input:
            utterances=under(Utterances.path),
        output:
            folds=[under(FoldTable.path, fold=fold) for fold in range(1, count + 1)],
            lists=[under(TRUST_SER_JSON, fold=fold) for fold in range(1, count + 1)],
            overview=under(SplitOverview.path),
        log:
            log_of("splits", "dataset"),
        benchmark:
            benchmark_of("splits", "dataset")
        wildcard_constraints:
            dataset="|".join(name for name in DATASETS if DATASETS[name].folds == count),
        localrule: True
        conda:
            "../../envs/candor.yml"
        params:
            raw=raw_of,
            options=lambda wildcards: dict(DATASETS[wildcards.dataset].splits.options),
            pred=lambda wildcards: DATASETS[wildcards.dataset].pred,
            code=code("splits"),
        message:
            "Splitting {wildcards.dataset}"
        script:
            "../scripts/splits.py"
