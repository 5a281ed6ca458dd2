# Requires: an address, a folder, or audio to train on.
# Makes: the files of a backbone, checked, and a table of what they are and where they came from; a picture of a pretraining.


rule weights:
    output:
        table=under(Weights.path),
    log:
        log_of("weights", "backbone"),
    benchmark:
        benchmark_of("weights", "backbone")
    wildcard_constraints:
        backbone=one_of(name for name in WEIGHED if name not in PRETRAINED),
    localrule: True  # nodes of a cluster often cannot reach the internet
    conda:
        "../../envs/candor.yml"
    params:
        entry=source_of,
        offline=str(WEIGHTS_DIR or ""),
        code=code("weights"),
    message:
        "Getting the weights of {wildcards.backbone}"
    script:
        "../scripts/weights.py"


rule pretrain:
    input:
        unpack(heard_by),
    output:
        table=under(Weights.path),
        history=under(Pretraining.path),
        speakers=under(PretrainingSpeakers.path),
    log:
        log_of("pretrain", "backbone"),
    benchmark:
        benchmark_of("pretrain", "backbone")
    wildcard_constraints:
        backbone=one_of(PRETRAINED),
    conda:
        "../../envs/candor.yml"
    # More would stand idle: the steps of a small batch cannot be shared.
    threads: lambda wildcards: Settings.of(backbone_of(wildcards).pretrain.model_dump()).threads
    resources:
        gpu=gpu_of,
        device=CONFIG.device,
    params:
        options=lambda wildcards: backbone_of(wildcards).pretrain.model_dump(exclude={"dataset"}),
        datasets=lambda wildcards: backbone_of(wildcards).pretrain.dataset,
        store=lambda wildcards: str(STORE),
        aside=under("unfinished/backbones/{backbone}"),
        code=code("pretrain"),
    message:
        "Pretraining {wildcards.backbone}"
    script:
        "../scripts/pretrain.py"


# Apart from the training, which is not to be repeated because a picture changes.
rule pretraining_figure:
    input:
        history=under(Pretraining.path),
    output:
        figure=report(
            under(LOSS_FIGURE),
            caption="../report/pretraining.rst",
            category="Backbones",
            labels={"backbone": "{backbone}", "figure": "pretraining"},
        ),
        prints=in_print(LOSS_FIGURE),
    log:
        log_of("pretraining_figure", "backbone"),
    benchmark:
        benchmark_of("pretraining_figure", "backbone")
    localrule: True
    conda:
        "../../envs/candor.yml"
    params:
        code=code("pretraining_figure"),
    message:
        "Drawing how {wildcards.backbone} was pretrained"
    script:
        "../scripts/pretraining_figure.py"
