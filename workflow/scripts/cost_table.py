"""Put what all backbones and recipes of a dataset cost beside what they recognise; draw it."""

import pandas as pd

from candor.cost.figures import pareto_figure
from candor.cost.overview import all_systems
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.cost import CostSummary, SystemCost
from candor.tables.performance import Summary


def main(smk) -> None:
    start_logging(smk.log[0])
    costs = pd.concat([SystemCost.read(file) for file in smk.input.costs], ignore_index=True)
    rows = all_systems(costs, Summary.read(smk.input.performance), smk.params.metric)
    CostSummary.write(rows, smk.output.summary)
    save_in_print(pareto_figure(CostSummary.read(smk.output.summary)), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
