# Requires: a corpus folder named in data_dir; for a cross-corpus dataset the manifests that it is joined from.
# Makes: the manifest of a dataset, what was rejected and why, counts beside the published ones, and a figure of all that.


rule synthesise:
    output:
        listing=under(SYNTHESISED),
    log:
        log_of("synthesise", "dataset"),
    benchmark:
        benchmark_of("synthesise", "dataset")
    wildcard_constraints:
        dataset=one_of(plan_datasets.SYNTHESISED),
    conda:
        "../../envs/candor.yml"
    threads: 16
    params:
        raw=lambda wildcards, output: str(Path(output.listing).parent),
        labelled=lambda wildcards: wildcards.dataset == "demo",
        code=code("synthesise"),
    message:
        "Synthesising {wildcards.dataset}"
    script:
        "../scripts/synthesise.py"


rule manifest:
    input:
        raw_listing,
    output:
        utterances=under(Utterances.path),
        rejected=under(Rejected.path),
        counts=under(Counts.path),
        choices=under(CHOICES),
    log:
        log_of("manifest", "dataset"),
    benchmark:
        benchmark_of("manifest", "dataset")
    wildcard_constraints:
        dataset=one_of(READ),
    conda:
        "../../envs/candor.yml"
    threads: 16
    params:
        raw=lambda wildcards: str(dataset_of(wildcards).raw),
        listing=listing_of,
        choices=lambda wildcards: dict(DATASETS[wildcards.dataset].choices),
        limits=CONFIG.corpora.model_dump(),
        store=lambda wildcards: str(STORE),
        code=lambda wildcards: code(
            "manifest", f"candor.corpora.readers.{DATASETS[wildcards.dataset].corpus}"
        ),
    message:
        "Reading the corpus of {wildcards.dataset}"
    script:
        "../scripts/manifest.py"


rule join:
    input:
        utterances=of_parts(Utterances.path),
    output:
        utterances=under(Utterances.path),
        rejected=under(Rejected.path),
        counts=under(Counts.path),
        choices=under(CHOICES),
    log:
        log_of("join", "dataset"),
    benchmark:
        benchmark_of("join", "dataset")
    wildcard_constraints:
        dataset=one_of(JOINED),
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        parts=lambda wildcards: DATASETS[wildcards.dataset].choices["parts"],
        classes=lambda wildcards: DATASETS[wildcards.dataset].choices["classes"],
        code=code("join"),
    message:
        "Joining {wildcards.dataset}"
    script:
        "../scripts/join.py"


rule corpora_overview:
    input:
        utterances=under(Utterances.path),
        rejected=under(Rejected.path),
        counts=under(Counts.path),
    output:
        figure=report(
            under(OVERVIEW_FIGURE),
            caption="../report/corpora_overview.rst",
            category="Corpora",
            subcategory="{dataset}",
            labels={"figure": "overview"},
        ),
        prints=in_print(OVERVIEW_FIGURE),
    log:
        log_of("corpora_overview", "dataset"),
    benchmark:
        benchmark_of("corpora_overview", "dataset")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        code=code("corpora_overview"),
    message:
        "Drawing what was read of {wildcards.dataset}"
    script:
        "../scripts/corpora_overview.py"
