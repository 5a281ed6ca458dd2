"""Compare every pair of systems of a dataset; write table, figure, and both tables as LaTeX and Markdown."""

import pandas as pd

from candor.figures import save_in_print
from candor.performance.compare import System, compare
from candor.performance.compare_ratings import RatingSystem, compare_ratings
from candor.performance.comparison_figures import comparison_figure
from candor.performance.typeset import comparison_sheet, summary_sheet
from candor.runtime import start_logging
from candor.sheets import save_sheet
from candor.tables.comparison import Comparison
from candor.tables.models import Predictions, RatingPredictions
from candor.tables.performance import Summary


def main(smk) -> None:
    start_logging(smk.log[0])
    out, dataset, metric = smk.output, smk.wildcards.dataset, smk.params.metric
    of_emotions = metric == "uar"
    table, systems = Predictions if of_emotions else RatingPredictions, []
    for place, names in enumerate(smk.params.systems):
        files = smk.input.predictions[place * smk.params.folds : (place + 1) * smk.params.folds]
        predictions = pd.concat([table.read(file) for file in files])
        if of_emotions:
            systems.append(System.of(*names, predictions, Predictions.classes(predictions)))
        else:
            systems.append(RatingSystem.of(*names, predictions))
    rows = (compare if of_emotions else compare_ratings)(dataset, systems)
    Comparison.write(rows, out.comparison)
    save_in_print(comparison_figure(rows, metric), out.figure)
    summary = summary_sheet(Summary.read(smk.input.summary))
    save_sheet(summary, f"tab:{dataset}-summary", out.summary_tex, out.summary_md)
    compared = comparison_sheet(rows, metric)
    save_sheet(compared, f"tab:{dataset}-comparison", out.comparison_tex, out.comparison_md)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
