"""Evaluate what models say of disturbed speech: change, share unchanged, tests passed; write a table and a figure."""

import pandas as pd

from candor.figures import save_in_print
from candor.robustness.evaluate import answers_of, results
from candor.robustness.figures import curves_figure
from candor.runtime import start_logging
from candor.tables.models import predictions_table
from candor.tables.robustness import RobustnessResult, disturbed_table


def main(smk) -> None:
    start_logging(smk.log[0])
    run, out = smk.wildcards, smk.output
    pred = smk.params.pred
    predictions = pd.concat([predictions_table(pred).read(file) for file in smk.input.predictions])
    answers = answers_of(pred, disturbed_table(pred).read(smk.input.disturbed), predictions)
    RobustnessResult.write(results(answers, smk.params.tests), out.summary)
    title = f"{run.dataset}: {run.backbone}, {run.recipe}"
    save_in_print(curves_figure(RobustnessResult.read(out.summary), title), out.curves)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
