# Requires: hidden states, trained models, folds, the manifest.
# Makes: what is read off each layer of a backbone, off the embedding and the losses of trained models; per system a table and
# pictures; per dataset one table and one figure of all systems.


rule privacy_layers:
    input:
        unpack(states_of_layers),
        features=under(FeatureIndex.path),
        folds=lambda wildcards: per_fold(FoldTable.path, wildcards),
        utterances=under(Utterances.path),
    output:
        layers=under(PrivacyLayers.path),
        made_of=under(LAYERS_MADE_OF),
    log:
        log_of("privacy_layers", "dataset", "backbone", "span"),
    benchmark:
        benchmark_of("privacy_layers", "dataset", "backbone", "span")
    conda:
        "../../envs/candor.yml"
    threads: threads_of_system
    resources:
        gpu=int(GPU_HERE),
        device=CONFIG.device,
    params:
        settings=layer_settings,
        least_threads=threads_of_system,
        store=lambda wildcards: str(STORE),
        aside=under("unfinished/privacy_layers/{dataset}/{backbone}/{span}"),
        code=code("privacy_layers"),
    message:
        "Attacking the layers of {wildcards.backbone} on {wildcards.dataset}, {wildcards.span}"
    script:
        "../scripts/privacy_layers.py"


rule privacy:
    input:
        unpack(what_is_looked_into),
        folds=lambda wildcards: per_fold(FoldTable.path, wildcards),
        predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
        utterances=under(Utterances.path),
    output:
        embedding=under(PrivacyEmbedding.path),
        losses=under(MemberLosses.path),
        made_of=under(EMBEDDING_MADE_OF),
    log:
        log_of("privacy", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("privacy", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    threads: threads_of_system
    resources:
        gpu=int(GPU_HERE),
        device=CONFIG.device,
    params:
        settings=plan_privacy.settings_of_models(CONFIG),
        seeds=looked_into_seeds,
        reads=lambda wildcards: reading(recipe_of(wildcards)),
        pred=lambda wildcards: DATASETS[wildcards.dataset].pred,
        seconds=seconds_of,
        least_threads=threads_of_system,
        store=lambda wildcards: str(STORE),
        aside=under("unfinished/privacy/{dataset}/{backbone}/{recipe}"),
        code=code_of_models,
    message:
        "Attacking what {wildcards.recipe} on {wildcards.backbone} keeps of {wildcards.dataset}"
    script:
        "../scripts/privacy.py"


rule privacy_summary:
    input:
        unpack(layers_beside),
        embedding=under(PrivacyEmbedding.path),
        losses=under(MemberLosses.path),
        predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
    output:
        **(
            {
                "leaks": report(
                    under(LEAKS_FIGURE),
                    caption="../report/privacy_leaks.rst",
                    category="Privacy",
                    subcategory="{dataset}",
                    labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "by layer"},
                ),
                "leaks_prints": in_print(LEAKS_FIGURE),
            }
            if READS_STATES
            else {}
        ),
        **(
            {
                "membership": report(
                    under(MEMBERSHIP_FIGURE),
                    caption="../report/privacy_membership.rst",
                    category="Privacy",
                    subcategory="{dataset}",
                    labels={
                        "backbone": "{backbone}",
                        "recipe": "{recipe}",
                        "figure": "membership",
                    },
                ),
                "membership_prints": in_print(MEMBERSHIP_FIGURE),
                "roc": under(MembershipCurve.path),
            }
            if READS_LOSSES
            else {}
        ),
        summary=under(PrivacyResult.path),
    log:
        log_of("privacy_summary", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("privacy_summary", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    params:
        pred=lambda wildcards: DATASETS[wildcards.dataset].pred,
        no_layers=lambda wildcards: plan_privacy.layers_of(CONFIG, wildcards.recipe)[1],
        attributes=CONFIG.privacy.attributes,
        attackers=CONFIG.privacy.attackers,
        code=code("privacy_summary"),
    message:
        "Summing up what {wildcards.recipe} on {wildcards.backbone} gives away of {wildcards.dataset}"
    script:
        "../scripts/privacy_summary.py"


rule privacy_table:
    input:
        summaries=lambda wildcards: of_all_systems(PrivacyResult.path, wildcards),
    output:
        summary=report(
            under(PrivacySummary.path),
            caption="../report/privacy_summary.rst",
            category="Privacy",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "table"},
        ),
        figure=report(
            under(PRIVACY_SYSTEMS_FIGURE),
            caption="../report/privacy_summary.rst",
            category="Privacy",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "systems"},
        ),
        prints=in_print(PRIVACY_SYSTEMS_FIGURE),
    log:
        log_of("privacy_table", "dataset"),
    benchmark:
        benchmark_of("privacy_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        systems=lambda wildcards: list(plan_systems.systems(CONFIG, wildcards.dataset)),
        code=code("privacy_table"),
    message:
        "Comparing what all backbones and recipes give away of {wildcards.dataset}"
    script:
        "../scripts/privacy_table.py"


rule privacy_trust_ser:
    input:
        fold=under(FoldTable.path, fold=1),
        frames=under(FrameIndex.path),
    output:
        trust_ser=under(TRUST_SER_PRIVACY),
    log:
        log_of("privacy_trust_ser", "dataset", "backbone", "span"),
    benchmark:
        benchmark_of("privacy_trust_ser", "dataset", "backbone", "span")
    conda:
        "../../envs/candor.yml"
    threads: threads_of_system
    resources:
        gpu=int(GPU_HERE),
        device=CONFIG.device,
    params:
        least_threads=threads_of_system,
        store=lambda wildcards: str(STORE),
        code=code("privacy_trust_ser"),
    message:
        "Attacking gender on {wildcards.backbone} as trust-ser does, for {wildcards.dataset}, {wildcards.span}"
    script:
        "../scripts/privacy_trust_ser.py"
