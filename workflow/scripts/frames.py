"""List the hidden states of every frame; run the backbone where the store has only pooled ones."""

from candor.features.job import Job, extract
from candor.runtime import BACKBONE_THREADS, start_logging, use_threads
from candor.tables.audio import AudioIndex
from candor.tables.features import FrameIndex


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, BACKBONE_THREADS)
    job = Job.of(smk.wildcards.backbone, smk.input.get("weights"), smk.params, smk.resources)
    extraction, _ = extract(job, AudioIndex.read(smk.input.audio), frames=True)
    FrameIndex.write(extraction.frame_rows(), smk.output.index)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
