"""Compare every pair of systems of a dataset; write table, figure, and both tables as LaTeX and Markdown."""

import pandas as pd

from candor.figures import save_in_print
from candor.performance.compare import System, compare
from candor.performance.compare_ratings import RatingSystem, compare_ratings
from candor.performance.comparison_figures import comparison_figure
from candor.performance.typeset import comparison_latex, comparison_markdown, summary_latex, summary_markdown
from candor.runtime import start_logging
from candor.tables.base import atomic
from candor.tables.comparison import Comparison
from candor.tables.models import Predictions, RatingPredictions
from candor.tables.performance import Summary


def main(smk) -> None:
    start_logging(smk.log[0])
    of_emotions, summary = smk.params.metric == "uar", Summary.read(smk.input.summary)
    table, systems = Predictions if of_emotions else RatingPredictions, []
    for place, names in enumerate(smk.params.systems):
        files = smk.input.predictions[place * smk.params.folds : (place + 1) * smk.params.folds]
        predictions = pd.concat([table.read(file) for file in files])
        if of_emotions:
            systems.append(System.of(*names, predictions, Predictions.classes(predictions)))
        else:
            systems.append(RatingSystem.of(*names, predictions))
    rows = (compare if of_emotions else compare_ratings)(smk.wildcards.dataset, systems)
    Comparison.write(rows, smk.output.comparison)
    save_in_print(comparison_figure(rows, smk.params.metric), smk.output.figure)
    texts = {
        smk.output.summary_tex: summary_latex(summary),
        smk.output.summary_md: summary_markdown(summary),
        smk.output.comparison_tex: comparison_latex(rows, smk.params.metric),
        smk.output.comparison_md: comparison_markdown(rows, smk.params.metric),
    }
    for file, text in texts.items():
        with atomic(file) as handle:
            handle.write(text)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
