# Requires: a trained model of each system with its backbone, audio, performance; what the jobs that made it took.
# Makes: parameters and operations, counted; seconds, memory and energy, measured; per dataset one table of each, and one figure.


# Apart from what is measured, which is never the same twice.
rule cost:
    input:
        unpack(what_is_counted),
    output:
        **({"trust_ser": under(TRUST_SER_COST)} if CONFIG.cost.parity else {}),
        cost=under(SystemCost.path),
        lengths=under(CostLengths.path),
        made_of=under(COUNTED),
    log:
        log_of("cost", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("cost", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    threads: threads_of_system
    params:
        seconds=seconds_of,
        code=family_code("cost"),
    message:
        "Counting what {wildcards.recipe} on {wildcards.backbone} costs for {wildcards.dataset}"
    script:
        "../scripts/cost.py"


rule cost_timing:
    input:
        unpack(what_is_timed),
    output:
        timing=under(SystemTiming.path),
    log:
        log_of("cost_timing", "dataset", "backbone", "recipe"),
    benchmark:
        benchmark_of("cost_timing", "dataset", "backbone", "recipe")
    conda:
        "../../envs/candor.yml"
    threads: threads_of_system
    resources:
        gpu=gpu_of,
        device=CONFIG.device,
    params:
        seconds=seconds_of,
        measured_seconds=CONFIG.cost.measured_seconds,
        least_threads=threads_of_system,
        store=lambda wildcards: str(STORE),
        extraction_benchmark=benchmark_of_extraction,
        training_benchmarks=benchmarks_of_trainings,
        pretraining_benchmark=benchmark_of_pretraining,
        code=family_code("cost_timing"),
    message:
        "Measuring {wildcards.recipe} on {wildcards.backbone} for {wildcards.dataset}"
    script:
        "../scripts/cost_timing.py"


rule cost_table:
    input:
        costs=lambda wildcards: of_all_systems(SystemCost.path, wildcards),
        performance=under(Summary.path),
    output:
        summary=report(
            under(CostSummary.path),
            caption="../report/cost_summary.rst",
            category="Cost",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "table"},
        ),
        figure=report(
            under(PARETO_FIGURE),
            caption="../report/cost_pareto.rst",
            category="Cost",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "score over FLOPs"},
        ),
        prints=in_print(PARETO_FIGURE),
    log:
        log_of("cost_table", "dataset"),
    benchmark:
        benchmark_of("cost_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        metric=lambda wildcards: "ccc" if wildcards.dataset in RATED else "uar",
        code=code("cost_table"),
    message:
        "Comparing what all backbones and recipes cost for {wildcards.dataset}"
    script:
        "../scripts/cost_table.py"


# Apart from what is counted, which does not change when something is measured again.
rule cost_timing_table:
    input:
        timings=lambda wildcards: of_all_systems(SystemTiming.path, wildcards),
    output:
        timing=report(
            under(CostTiming.path),
            caption="../report/cost_timing.rst",
            category="Cost",
            subcategory="{dataset}",
            labels={"backbone": "all", "recipe": "all", "figure": "times, table"},
        ),
        jobs=under(JobTiming.path),
    log:
        log_of("cost_timing_table", "dataset"),
    benchmark:
        benchmark_of("cost_timing_table", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        benchmarks=under("benchmarks"),
        code=code("cost_timing_table"),
    message:
        "Putting the times of all backbones and recipes for {wildcards.dataset} into one table"
    script:
        "../scripts/cost_timing_table.py"
