# Requires: folds, and the features that clients hold; for noise at their microphones audio and a backbone; for digits nothing,
# or the MNIST of the user.
# Makes: per fold a global model, what it says of people who are no clients, and the history of how it was trained; per run
# its scores and pictures; per dataset one table, every two runs compared, and one figure.

# The files of a job depend on what is kept of a run, so each entry has a rule.
for name, entry in CONFIG.federated.items():

    rule:
        name:
            f"federate_{name}"
        input:
            unpack(what_clients_hold),
        output:
            **kept_files(entry),
            clients=under(ClientsHeld.path),
            rounds=under(Rounds.path),
            participants=under(Participants.path),
            judged=under(Judged.path),
            timing=under(RoundsTiming.path),
            predictions=under(FederatedPredictions.path),
            run=under(RUN_JSON),
        log:
            log_of("federate", "dataset", "run", "fold"),
        benchmark:
            benchmark_of("federate", "dataset", "run", "fold")
        wildcard_constraints:
            dataset=one_of(datasets_of_runs(name)),
            run=one_of(names_of_runs(name)),
        conda:
            "../../envs/candor.yml"
        threads: threads_of_run
        resources:
            gpu=int(on_gpu(entry)),
            device=CONFIG.device if on_gpu(entry) else "cpu",
            batch_seconds=CONFIG.features.batch_seconds,
        params:
            options=lambda wildcards: run_of(wildcards).settings.options(),
            backbone=noised_backbone,
            folder=folder_of_images,
            least_threads=threads_of_run,
            store=lambda wildcards: str(STORE),
            aside=under("unfinished/federated/{dataset}/{run}/fold{fold}"),
            code=code_of_run,
        message:
            "Federating {wildcards.run}, fold {wildcards.fold} of {wildcards.dataset}"
        script:
            "../scripts/federate.py"


rule federated_performance:
    input:
        unpack(what_a_run_gave),
    output:
        summary=under(FederatedRunSummary.path),
        curves=report(
            under(FEDERATED_CURVES_FIGURE),
            caption="../report/federated_curves.rst",
            category="Federated training",
            subcategory="{dataset}",
            labels={"run": "{run}", "figure": "curves"},
        ),
        clients=report(
            under(CLIENTS_FIGURE),
            caption="../report/federated_clients.rst",
            category="Federated training",
            subcategory="{dataset}",
            labels={"run": "{run}", "figure": "what clients hold"},
        ),
        prints=in_print(FEDERATED_CURVES_FIGURE) + in_print(CLIENTS_FIGURE),
    log:
        log_of("federated_performance", "dataset", "run"),
    benchmark:
        benchmark_of("federated_performance", "dataset", "run")
    wildcard_constraints:
        dataset=one_of(datasets_of_runs()),
        run=one_of(names_of_runs()),
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        names=lambda wildcards: {
            "backbone": run_of(wildcards).backbone,
            "model_type": run_of(wildcards).settings.model_type,
        },
        chosen_by=lambda wildcards: (
            "clients_uar" if run_of(wildcards).settings.parity else "dev_uar"
        ),
        code=code("federated_performance"),
    message:
        "Evaluating {wildcards.run} for {wildcards.dataset}"
    script:
        "../scripts/federated_performance.py"


rule federated_table:
    input:
        summaries=summaries_of_runs,
        predictions=of_all_runs(FederatedPredictions.path),
        rounds=of_all_runs(Rounds.path),
    output:
        summary=report(
            under(FederatedSummary.path),
            caption="../report/federated_summary.rst",
            category="Federated training",
            subcategory="{dataset}",
            labels={"run": "all", "figure": "table"},
        ),
        comparison=report(
            under(FederatedComparison.path),
            caption="../report/federated_comparison.rst",
            category="Federated training",
            subcategory="{dataset}",
            labels={"run": "all", "figure": "comparison, table"},
        ),
        figure=report(
            under(RUNS_FIGURE),
            caption="../report/federated_summary.rst",
            category="Federated training",
            subcategory="{dataset}",
            labels={"run": "all", "figure": "runs"},
        ),
        prints=in_print(RUNS_FIGURE),
    log:
        log_of("federated_table", "dataset"),
    benchmark:
        benchmark_of("federated_table", "dataset")
    wildcard_constraints:
        dataset=one_of(datasets_of_runs()),
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        runs=lambda wildcards: [[run.name, run.backbone, run.variant] for run in runs_on(wildcards)],
        folds=lambda wildcards: next(iter(runs_on(wildcards))).folds,
        code=code("federated_table"),
    message:
        "Comparing all federations on {wildcards.dataset}"
    script:
        "../scripts/federated_table.py"
