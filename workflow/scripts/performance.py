"""Evaluate the test predictions of all folds; write tables and the confusion figure."""

import pandas as pd

from candor.figures import save_figure
from candor.performance.evaluate import evaluate
from candor.performance.figures import confusion_figure
from candor.runtime import start_logging
from candor.tables.models import Predictions
from candor.tables.performance import ConfusionCounts, PerClass, RunSummary


def main(smk) -> None:
    start_logging(smk.log[0])
    run = smk.wildcards
    predictions = pd.concat([Predictions.read(file) for file in smk.input.predictions])
    classes = [column.removeprefix("p_") for column in predictions.columns if column.startswith("p_")]
    evaluation = evaluate(predictions, classes)
    RunSummary.write(evaluation.summary(run.dataset, run.backbone, run.recipe), smk.output.summary)
    PerClass.write(evaluation.per_class, smk.output.per_class)
    ConfusionCounts.write(evaluation.confusion, smk.output.confusion)
    save_figure(confusion_figure(evaluation, f"{run.dataset}: {run.backbone}, {run.recipe}"), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
