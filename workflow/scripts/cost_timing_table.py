"""Put the times of all backbones and recipes of a dataset into one table, and those of all its jobs into another."""

import pandas as pd

from candor.cost.spent import job_rows
from candor.runtime import start_logging
from candor.tables.cost import CostTiming, JobTiming, SystemTiming


def main(smk) -> None:
    start_logging(smk.log[0])
    CostTiming.write(pd.concat([SystemTiming.read(file) for file in smk.input.timings]), smk.output.timing)
    JobTiming.write(job_rows(smk.params.benchmarks, smk.wildcards.dataset), smk.output.jobs)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
