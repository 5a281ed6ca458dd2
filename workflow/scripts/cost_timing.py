"""Measure how fast a system answers here; collect what its extraction and its trainings took."""

from candor.cost.job import TimingJob
from candor.runtime import start_logging, use_device, use_threads
from candor.tables.cost import SystemTiming


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    job = TimingJob.of(smk.input, smk.params, use_device(smk.resources.device))
    SystemTiming.write([{**smk.wildcards, **job.row()}], smk.output.timing)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
