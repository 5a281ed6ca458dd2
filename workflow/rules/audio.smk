# Requires: a manifest and the raw audio it names.
# Makes: audio/<dataset>/<utterance>.wav, 16 kHz mono 16-bit, and their index; the bytes live in the store.


rule audio:
    input:
        utterances=under(Utterances.path),
    output:
        index=under(AudioIndex.path),
    log:
        log_of("audio", "dataset"),
    benchmark:
        benchmark_of("audio", "dataset")
    conda:
        "../../envs/candor.yml"
    threads: 16
    params:
        raw=lambda wildcards: str(DATASETS[wildcards.dataset].raw),
        store=lambda wildcards: str(STORE),
        project=lambda wildcards: str(PROJECT),
        code=code("audio"),
    message:
        "Converting the audio of {wildcards.dataset}"
    script:
        "../scripts/audio.py"
