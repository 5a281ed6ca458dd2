# Requires: a manifest and the raw audio it names; for a cross-corpus dataset the audio of those it is joined from.
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
    wildcard_constraints:
        dataset=one_of(READ),
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


rule join_audio:
    input:
        utterances=under(Utterances.path),
        audio=of_parts(AudioIndex.path),
    output:
        index=under(AudioIndex.path),
    log:
        log_of("join_audio", "dataset"),
    benchmark:
        benchmark_of("join_audio", "dataset")
    wildcard_constraints:
        dataset=one_of(JOINED),
    conda:
        "../../envs/candor.yml"
    params:
        parts=lambda wildcards: [part.name for part in DATASETS[wildcards.dataset].parts],
        store=lambda wildcards: str(STORE),
        project=lambda wildcards: str(PROJECT),
        code=code("join_audio"),
    message:
        "Joining the audio of {wildcards.dataset}"
    script:
        "../scripts/join_audio.py"
