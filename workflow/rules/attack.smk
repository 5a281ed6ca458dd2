# Requires: trained models with their backbones, audio, and the manifest.
# Makes: what models say of perturbed speech; how often they are fooled, by whom and beside random signs; clips to listen to; per
# dataset one table and one figure of all systems.


# Apart from the evaluation, an edit of which attacks nothing anew.
rule attack:
    input:
        unpack(what_is_attacked),
        folds=lambda wildcards: per_fold(FoldTable.path, wildcards),
        predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
        audio=under(AudioIndex.path),
    output:
        attacked=under(Attacked.path),
        made_of=under(ATTACK_MADE_OF),
    log:
        log_of("attack", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("attack", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    threads: threads_of_attack
    resources:
        gpu=gpu_of,
        device=CONFIG.device,
        batch_seconds=CONFIG.features.batch_seconds,
    params:
        **attacking("attack"),
    message:
        "Attacking {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/attack.py"


rule attack_summary:
    input:
        attacked=under(Attacked.path),
        utterances=under(Utterances.path),
    output:
        **({"trust_ser": under(TRUST_SER_ATTACK)} if CONFIG.attack.parity else {}),
        summary=under(AttackResult.path),
        breakdown=under(AttackBreakdown.path),
        curve=report(
            under(ATTACK_CURVE_FIGURE),
            caption="../report/attack_curve.rst",
            category="Attack",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "success over SNR"},
        ),
        groups=report(
            under(ATTACK_GROUPS_FIGURE),
            caption="../report/attack_groups.rst",
            category="Attack",
            subcategory="{dataset}",
            labels={"backbone": "{backbone}", "recipe": "{recipe}", "figure": "by group"},
        ),
        prints=in_print(ATTACK_CURVE_FIGURE) + in_print(ATTACK_GROUPS_FIGURE),
    log:
        log_of("attack_summary", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("attack_summary", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    params:
        called=lambda wildcards: plan_attacks.called(
            CONFIG, wildcards.backbone, access_to(wildcards)
        ),
        snrs=CONFIG.attack.snrs,
        asked=CONFIG.fairness.model_dump(exclude={"parity"}),
        code=code("attack_summary"),
    message:
        "Evaluating the attack on {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/attack_summary.py"


# Speech that may not be passed on is not put into reports.
for name, passed_on in {"attack_examples": True, "attack_examples_at_home": False}.items():

    rule:
        name:
            name
        input:
            unpack(what_is_attacked),
            folds=lambda wildcards: per_fold(FoldTable.path, wildcards),
            predictions=lambda wildcards: per_fold(Predictions.path, wildcards),
            audio=under(AudioIndex.path),
            attacked=under(Attacked.path),
        output:
            examples=under(AttackExamples.path),
            audio=[
                example_clip(number, version, passed_on)
                for number in EXAMPLES
                for version in VERSIONS
            ],
            figures=[example_picture(number, passed_on) for number in EXAMPLES],
            prints=[
                file
                for number in EXAMPLES
                for file in in_print(EXAMPLE_FIGURE.replace("{example}", str(number)))
            ],
        log:
            log_of("attack_examples", "dataset", "backbone", "recipe"),
        benchmark:
            benchmark_of("attack_examples", "dataset", "backbone", "recipe")
        wildcard_constraints:
            dataset=one_of(name for name in DATASETS if may_be_passed_on(name) == passed_on),
        conda:
            "../../envs/candor.yml"
        threads: threads_of_attack
        resources:
            gpu=gpu_of,
            device=CONFIG.device,
            batch_seconds=CONFIG.features.batch_seconds,
        params:
            **attacking("attack_examples"),
            called=lambda wildcards: plan_attacks.called(
                CONFIG, wildcards.backbone, access_to(wildcards)
            )[0],
            number=CONFIG.attack.examples,
        message:
            "Making attacked clips to listen to, of {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
        script:
            "../scripts/attack_examples.py"


rule attack_table:
    input:
        summaries=lambda wildcards: [
            under(AttackResult.path, dataset=wildcards.dataset, backbone=backbone, recipe=recipe)
            for backbone, recipe in plan_attacks.attacked_systems(CONFIG, wildcards.dataset)
        ],
    output:
        summary=report(
            under(AttackSummary.path),
            caption="../report/attack_summary.rst",
            category="Attack",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "table"},
        ),
        figure=report(
            under(ATTACK_SYSTEMS_FIGURE),
            caption="../report/attack_summary.rst",
            category="Attack",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "systems"},
        ),
        prints=in_print(ATTACK_SYSTEMS_FIGURE),
    log:
        log_of("attack_table", "dataset"),
    benchmark:
        benchmark_of("attack_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        systems=lambda wildcards: list(plan_attacks.rows_of_table(CONFIG, wildcards.dataset)),
        code=code("attack_table"),
    message:
        "Comparing the attacks on all backbones and recipes for {wildcards.dataset}"
    script:
        "../scripts/attack_table.py"
