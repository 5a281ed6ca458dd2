"""Put the summaries of all backbones and recipes of a dataset into one table and one figure."""

import pandas as pd

from candor.figures import save_in_print
from candor.performance.figures import ranking_figure
from candor.runtime import start_logging
from candor.tables.performance import RunSummary, Summary


def main(smk) -> None:
    start_logging(smk.log[0])
    rows = pd.concat([RunSummary.read(file) for file in smk.input.summaries])
    Summary.write(rows, smk.output.summary)
    save_in_print(ranking_figure(rows, smk.params.metric), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
