# Requires: histories of federations, and what shadow people hold: features, folds or manifests.
# Makes: per kind of shadow federations what their clients sent; per run what attackers read off its clients' updates, with
# tables and pictures; of gradients what they are made of; per dataset one table of all runs, and recognition against what is read off over ε.


rule leakage_shadows:
    input:
        unpack(what_shadow_people_hold),
    output:
        updates=under(SHADOW_PACK),
        index=under(ShadowUpdates.path),
        clients=under(ShadowClients.path),
        facts=under(SHADOW_JSON),
    log:
        log_of("leakage_shadows", "dataset", "shadow", "people"),
    benchmark:
        benchmark_of("leakage_shadows", "dataset", "shadow", "people")
    wildcard_constraints:
        dataset=one_of(LEAKAGE),
        shadow=one_of(names_of_shadows()),
        people=r"others|fold\d+",
    conda:
        "../../envs/candor.yml"
    resources:
        gpu=lambda wildcards: int(on_gpu(shadow_of(wildcards).run.settings)),
        device=lambda wildcards: (
            CONFIG.device if on_gpu(shadow_of(wildcards).run.settings) else "cpu"
        ),
    params:
        options=lambda wildcards: shadow_of(wildcards).options,
        datasets=lambda wildcards: list(shadow_of(wildcards).datasets),
        models=CONFIG.leakage.shadow_models,
        store=lambda wildcards: str(STORE),
        aside=under("unfinished/leakage_shadows/{dataset}/{shadow}/{people}"),
        code=code("leakage_shadows"),
    message:
        "Shadow federations like {wildcards.shadow} of {wildcards.dataset}: {wildcards.people}"
    script:
        "../scripts/leakage_shadows.py"


rule leakage_attacks:
    input:
        unpack(what_is_attacked),
    output:
        attacks=under(LeakageAttacks.path),
        rounds=under(LeakageRounds.path),
        scores=under(LeakageScores.path),
        made_of=under(ATTACKS_MADE_OF),
        layers=report(
            under(LEAKAGE_LAYERS_FIGURE),
            caption="../report/leakage_layers.rst",
            category="Leakage",
            subcategory="{dataset}",
            labels={"run": "{run}", "figure": "layers"},
        ),
        by_round=report(
            under(LEAKAGE_ROUNDS_FIGURE),
            caption="../report/leakage_rounds.rst",
            category="Leakage",
            subcategory="{dataset}",
            labels={"run": "{run}", "figure": "rounds"},
        ),
        prints=in_print(LEAKAGE_LAYERS_FIGURE) + in_print(LEAKAGE_ROUNDS_FIGURE),
    log:
        log_of("leakage_attacks", "dataset", "run"),
    benchmark:
        benchmark_of("leakage_attacks", "dataset", "run")
    wildcard_constraints:
        dataset=one_of(LEAKAGE),
        run=one_of(names_of_attacked()),
    conda:
        "../../envs/candor.yml"
    threads: 2
    resources:
        gpu=int(GPU_HERE and "cnn" in CONFIG.leakage.attackers),
        device=CONFIG.device,
    params:
        settings=attack_settings(),
        folds=lambda wildcards: list(attacked_of(wildcards).folds),
        sets=sets_of_shadows,
        leads=leads_of_people,
        least_threads=2,
        aside=under("unfinished/leakage_attacks/{dataset}/{run}"),
        code=code("leakage_attacks"),
    message:
        "Attacking the updates of {wildcards.run} on {wildcards.dataset}"
    script:
        "../scripts/leakage_attacks.py"


rule leakage_inversion:
    input:
        unpack(what_is_inverted),
    output:
        inversions=under(Inversions.path),
        made_of=under(INVERSION_MADE_OF),
        figure=report(
            under(INVERSION_FIGURE),
            caption="../report/leakage_inversion.rst",
            category="Leakage",
            subcategory="{dataset}",
            labels={"run": "{run}", "figure": "gradients turned back"},
        ),
        prints=in_print(INVERSION_FIGURE),
    log:
        log_of("leakage_inversion", "dataset", "run"),
    benchmark:
        benchmark_of("leakage_inversion", "dataset", "run")
    wildcard_constraints:
        dataset=one_of(LEAKAGE),
        run=one_of(names_of_inverted()),
    conda:
        "../../envs/candor.yml"
    params:
        folds=lambda wildcards: list(attacked_of(wildcards).folds),
        number=CONFIG.leakage.inversions,
        store=lambda wildcards: str(STORE),
        aside=under("unfinished/leakage_inversion/{dataset}/{run}"),
        code=code("leakage_inversion"),
    message:
        "Turning gradients of {wildcards.run} on {wildcards.dataset} back"
    script:
        "../scripts/leakage_inversion.py"


rule leakage_table:
    input:
        attacks=of_all_attacked(LeakageAttacks.path),
        made_of=of_all_attacked(ATTACKS_MADE_OF),
        recognition=of_all_attacked(FederatedRunSummary.path),
    output:
        summary=report(
            under(LeakageSummary.path),
            caption="../report/leakage_summary.rst",
            category="Leakage",
            subcategory="{dataset}",
            labels={"run": "all", "figure": "table"},
        ),
        recognition=under(PublishedRecognition.path),
        layers=under(PublishedLayers.path),
        defences=under(PublishedDefences.path),
        latex=under(PUBLISHED_LATEX),
        markdown=under(PUBLISHED_MARKDOWN),
        tradeoff=report(
            under(TRADEOFF_FIGURE),
            caption="../report/leakage_summary.rst",
            category="Leakage",
            subcategory="{dataset}",
            labels={"run": "all", "figure": "emotion against leakage"},
        ),
        published=report(
            under(PUBLISHED_FIGURE),
            caption="../report/leakage_summary.rst",
            category="Leakage",
            subcategory="{dataset}",
            labels={"run": "all", "figure": "layers"},
        ),
        prints=in_print(TRADEOFF_FIGURE) + in_print(PUBLISHED_FIGURE),
    log:
        log_of("leakage_table", "dataset"),
    benchmark:
        benchmark_of("leakage_table", "dataset")
    wildcard_constraints:
        dataset=one_of(LEAKAGE),
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        runs=lambda wildcards: [
            names_of_run(own.run) for own in LEAKAGE[wildcards.dataset].values()
        ],
        code=code("leakage_table"),
    message:
        "Setting all attacks on updates on {wildcards.dataset} side by side"
    script:
        "../scripts/leakage_table.py"
