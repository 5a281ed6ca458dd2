"""Put the gaps of all backbones and recipes of a dataset into one table and one figure."""

import pandas as pd

from candor.fairness.figures import systems_figure
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.fairness import FairnessSummary, Gaps


def main(smk) -> None:
    start_logging(smk.log[0])
    dataset = smk.wildcards.dataset
    parts = [
        Gaps.read(file).assign(dataset=dataset, backbone=backbone, recipe=recipe)
        for file, (backbone, recipe) in zip(smk.input.gaps, smk.params.systems, strict=True)
    ]
    FairnessSummary.write(pd.concat(parts), smk.output.summary)
    save_in_print(systems_figure(FairnessSummary.read(smk.output.summary), dataset), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
