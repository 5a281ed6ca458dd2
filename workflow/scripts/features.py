"""Run a backbone on the audio of a dataset; write the index of its pooled hidden states."""

from pathlib import Path

from candor.features.job import Job, extract
from candor.made_of import made_of
from candor.runtime import BACKBONE_THREADS, start_logging, use_threads
from candor.store.upkeep import register
from candor.tables.audio import AudioIndex
from candor.tables.base import write_json
from candor.tables.features import ExtractionTiming, FeatureIndex


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, BACKBONE_THREADS)
    job = Job.of(smk.wildcards.backbone, smk.input.get("weights"), smk.params, smk.resources)
    register(job.store, Path(smk.params.project))
    # What the job also keeps for the rule `frames` changes nothing that it makes, so it is no parameter.
    extraction, deviation = extract(job, AudioIndex.read(smk.input.audio), frames=bool(smk.resources.frames))
    write_json(made_of(**extraction.identified, **deviation), smk.output.identity)
    FeatureIndex.write(extraction.pooled_rows(), smk.output.index)
    ExtractionTiming.write([extraction.took()], smk.output.timing)
    extraction.note_use()


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
