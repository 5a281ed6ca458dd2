# Requires: converted audio and a backbone.
# Makes: pooled hidden states of every utterance, in the store, and their index.


def family_of(wildcards):
    return CONFIG.backbones[wildcards.backbone].family


rule features:
    input:
        audio=under(AudioIndex.path),
    output:
        index=under(FeatureIndex.path),
    log:
        log_of("features", "dataset", "backbone"),
    benchmark:
        benchmark_of("features", "dataset", "backbone")
    threads: 2
    params:
        family=family_of,
        options=lambda wildcards: CONFIG.backbones[wildcards.backbone].model_dump(
            exclude={"family"}
        ),
        store=str(STORE),
        project=str(PROJECT),
        code=lambda wildcards: code(
            "features", f"candor.backbones.families.{family_of(wildcards)}"
        ),
    message:
        "Running {wildcards.backbone} on {wildcards.dataset}"
    script:
        "../scripts/features.py"
