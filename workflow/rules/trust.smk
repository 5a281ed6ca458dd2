# Requires: the tables of performance and of all audits over all systems of a dataset.
# Makes: one profile per backbone and recipe, its radar, tables for papers; the profiles of all datasets side by side.


rule trust:
    input:
        unpack(what_is_profiled),
    output:
        summary=report(
            under(TrustProfile.path),
            caption="../report/trust.rst",
            category="Trust",
            subcategory="{dataset}",
            labels={"figure": "table"},
        ),
        axes=under(TrustAxes.path),
        radar=report(
            under(RADAR_FIGURE),
            caption="../report/trust_radar.rst",
            category="Trust",
            subcategory="{dataset}",
            labels={"figure": "radar"},
        ),
        prints=in_print(RADAR_FIGURE),
        tex=under(TRUST_LATEX),
        md=under(TRUST_MARKDOWN),
    log:
        log_of("trust", "dataset"),
    benchmark:
        benchmark_of("trust", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        fairness_by=plan_trust.fairness_axis(CONFIG),
        code=code("trust"),
    message:
        "Drawing the trust profiles of all backbones and recipes on {wildcards.dataset}"
    script:
        "../scripts/trust.py"


rule trust_overview:
    input:
        profiles=lambda wildcards: [
            under(TrustProfile.path, dataset=dataset) for dataset in profiled_datasets()
        ],
    output:
        summary=under(TrustOverview.path),
        figure=report(
            under(DATASETS_FIGURE),
            caption="../report/trust_overview.rst",
            category="Trust",
            subcategory="all datasets",
            labels={"figure": "datasets side by side"},
        ),
        prints=in_print(DATASETS_FIGURE),
        tex=under(OVERVIEW_LATEX),
        md=under(OVERVIEW_MARKDOWN),
    log:
        log_of("trust_overview"),
    benchmark:
        benchmark_of("trust_overview")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        code=code("trust_overview"),
    message:
        "Setting the trust profiles of all datasets side by side"
    script:
        "../scripts/trust_overview.py"
