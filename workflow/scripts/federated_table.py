"""Put all federations on a dataset into one table and one figure, and compare every two that differ in one thing."""

import pandas as pd

from candor.federated.run_figures import runs_figure
from candor.federated.summary import PIXELS, compare_runs
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.federated import (
    FederatedComparison,
    FederatedPredictions,
    FederatedRunSummary,
    FederatedSummary,
    Rounds,
)
from candor.tables.models import Predictions


def main(smk) -> None:
    start_logging(smk.log[0])
    files, out, dataset = smk.input, smk.output, smk.wildcards.dataset
    folds, names, predictions, rounds = smk.params.folds, {}, {}, {}
    for place, (run, backbone, variant) in enumerate(smk.params.runs):
        own = slice(place * folds, (place + 1) * folds)
        names[backbone or PIXELS, variant] = run
        predictions[backbone or PIXELS, variant] = pd.concat(map(FederatedPredictions.read, files.predictions[own]))
        rounds[run] = pd.concat(map(Rounds.read, files.rounds[own]))
    FederatedSummary.write(pd.concat(map(FederatedRunSummary.read, files.summaries)), out.summary)
    classes = Predictions.classes(next(iter(predictions.values())))
    FederatedComparison.write(compare_runs(dataset, predictions, names, classes), out.comparison)
    save_in_print(runs_figure(FederatedSummary.read(out.summary), rounds), out.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
