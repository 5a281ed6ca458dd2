# Requires: converted audio, and a backbone with its weights.
# Makes: pooled hidden states of every utterance, those of every frame where a recipe reads them, in the store; their indexes.

# What a job takes and does not change what it makes stands under `resources`, which make nothing out of date.


rule features:
    input:
        unpack(weights_of),
        audio=under(AudioIndex.path),
    output:
        index=under(FeatureIndex.path),
        identity=under(IDENTITY),
        timing=under(ExtractionTiming.path),
    log:
        log_of("features", "dataset", "backbone", "span"),
    benchmark:
        benchmark_of("features", "dataset", "backbone", "span")
    conda:
        "../../envs/candor.yml"
    threads: BACKBONE_THREADS
    resources:
        gpu=gpu_of,
        device=CONFIG.device,
        batch_seconds=CONFIG.features.batch_seconds,
        # Frames are kept in the same pass where the rule below is going to list them.
        frames=lambda wildcards: int(frames_are_kept(wildcards)),
    params:
        **running_a_backbone("features", lambda wildcards: SPANS[wildcards.span]),
    message:
        "Running {wildcards.backbone} on {wildcards.dataset}, {wildcards.span}"
    script:
        "../scripts/features.py"


rule frames:
    input:
        unpack(weights_of),
        audio=under(AudioIndex.path),
        pooled=under(FeatureIndex.path),
    output:
        index=under(FrameIndex.path),
    log:
        log_of("frames", "dataset", "backbone", "span"),
    benchmark:
        benchmark_of("frames", "dataset", "backbone", "span")
    conda:
        "../../envs/candor.yml"
    threads: BACKBONE_THREADS
    resources:
        gpu=gpu_of,
        device=CONFIG.device,
        batch_seconds=CONFIG.features.batch_seconds,
    params:
        **running_a_backbone("frames", lambda wildcards: SPANS[wildcards.span]),
    message:
        "Listing the frames of {wildcards.backbone} on {wildcards.dataset}, {wildcards.span}"
    script:
        "../scripts/frames.py"
