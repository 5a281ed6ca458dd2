"""Compare every pair of systems of a dataset; write table, figure, and both tables as LaTeX and Markdown."""

import pandas as pd

from candor.figures import save_figure
from candor.performance.compare import System, compare
from candor.performance.comparison_figures import comparison_figure
from candor.performance.typeset import comparison_latex, comparison_markdown, summary_latex, summary_markdown
from candor.runtime import start_logging
from candor.tables.base import atomic
from candor.tables.comparison import Comparison
from candor.tables.models import Predictions
from candor.tables.performance import Summary


def main(smk) -> None:
    start_logging(smk.log[0])
    systems = []
    for place, (backbone, recipe) in enumerate(smk.params.systems):
        files = smk.input.predictions[place * smk.params.folds : (place + 1) * smk.params.folds]
        predictions = pd.concat([Predictions.read(file) for file in files])
        systems.append(System.of(backbone, recipe, predictions, Predictions.classes(predictions)))
    rows, summary = compare(smk.wildcards.dataset, systems), Summary.read(smk.input.summary)
    Comparison.write(rows, smk.output.comparison)
    save_figure(comparison_figure(rows), smk.output.figure)
    texts = {
        smk.output.summary_tex: summary_latex(summary),
        smk.output.summary_md: summary_markdown(summary),
        smk.output.comparison_tex: comparison_latex(rows),
        smk.output.comparison_md: comparison_markdown(rows),
    }
    for file, text in texts.items():
        with atomic(file) as handle:
            handle.write(text)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
