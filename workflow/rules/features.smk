# Requires: converted audio and a backbone.
# Makes: pooled hidden states of every utterance, in the store, and their index.


rule features:
    input:
        audio=under(AudioIndex.path),
    output:
        index=under(FeatureIndex.path),
        identity=under(IDENTITY),
    log:
        log_of("features", "dataset", "backbone"),
    benchmark:
        benchmark_of("features", "dataset", "backbone")
    conda:
        "../../envs/candor.yml"
    threads: 2
    params:
        family=lambda wildcards: backbone_of(wildcards).family,
        options=lambda wildcards: backbone_of(wildcards).model_dump(exclude={"family"}),
        store=lambda wildcards: str(STORE),
        project=lambda wildcards: str(PROJECT),
        code=lambda wildcards: code(
            "features", f"candor.backbones.families.{backbone_of(wildcards).family}"
        ),
    message:
        "Running {wildcards.backbone} on {wildcards.dataset}"
    script:
        "../scripts/features.py"
