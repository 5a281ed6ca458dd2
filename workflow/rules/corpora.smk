# Requires: a corpus folder named in data_dir.
# Makes: the manifest of a dataset, what was rejected and why, and counts beside the published ones.


def raw_listing(wildcards):
    """Return the list of clips of a corpus that the workflow makes itself, so that it is made first."""
    dataset = DATASETS[wildcards.dataset]
    return [under(SYNTHESISED)] if dataset.synthesised else []


def listing_of(wildcards):
    """Return a digest of the names, sizes and times below a corpus folder, to notice what changes there."""
    dataset = dataset_of(wildcards)
    return "synthesised" if dataset.synthesised else listing_digest(dataset.raw)


def reader_code(wildcards):
    return code("manifest", f"candor.corpora.readers.{DATASETS[wildcards.dataset].corpus}")


rule synthesise:
    output:
        listing=under(SYNTHESISED),
    log:
        log_of("synthesise"),
    benchmark:
        benchmark_of("synthesise")
    threads: 16
    params:
        raw=str(Path(under(SYNTHESISED)).parent),
        code=code("synthesise"),
    message:
        "Synthesising the demo corpus"
    script:
        "../scripts/synthesise.py"


rule manifest:
    input:
        raw_listing,
    output:
        utterances=under(Utterances.path),
        rejected=under(Rejected.path),
        counts=under(Counts.path),
    log:
        log_of("manifest", "dataset"),
    benchmark:
        benchmark_of("manifest", "dataset")
    threads: 16
    params:
        raw=lambda wildcards: str(dataset_of(wildcards).raw),
        listing=listing_of,
        choices=lambda wildcards: dict(DATASETS[wildcards.dataset].choices),
        limits=CONFIG.corpora.model_dump(),
        store=str(STORE),
        code=reader_code,
    message:
        "Reading the corpus of {wildcards.dataset}"
    script:
        "../scripts/manifest.py"
