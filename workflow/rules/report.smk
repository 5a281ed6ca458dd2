# Requires: the tables of performance and of all audits.
# Makes: what the report opens on.


rule report_summary:
    input:
        unpack(what_is_answered),
    output:
        page=report(
            under(ANSWERS),
            caption="../report/summary_page.rst",
            category="Summary",
            labels={"dataset": "{dataset}"},
        ),
    log:
        log_of("report_summary", "dataset"),
    benchmark:
        benchmark_of("report_summary", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        systems=lambda wildcards: list(plan_systems.systems(CONFIG, wildcards.dataset)),
        code=code("report_summary"),
    message:
        "Summing up what was found on {wildcards.dataset}"
    script:
        "../scripts/report_summary.py"
