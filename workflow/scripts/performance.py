"""Evaluate the test predictions of all folds; write tables and the confusion figure."""

import pandas as pd

from candor.figures import save_in_print
from candor.made_of import made_of
from candor.performance.evaluate import evaluate
from candor.performance.figures import confusion_figure
from candor.performance.heard import speakers_heard
from candor.runtime import start_logging
from candor.tables.base import write_json
from candor.tables.models import Predictions
from candor.tables.performance import ConfusionCounts, PerClass, RunSummary
from candor.tables.splits import SplitOverview


def main(smk) -> None:
    start_logging(smk.log[0])
    run = smk.wildcards
    predictions = pd.concat([Predictions.read(file) for file in smk.input.predictions])
    shared = SplitOverview.speakers_in_train(SplitOverview.read(smk.input.splits))
    pretrained = smk.input.get("heard")
    heard = speakers_heard(predictions, pretrained, smk.input.audio, smk.input.heard_audio) if pretrained else 0
    evaluation = evaluate(predictions, Predictions.classes(predictions), shared, heard)
    RunSummary.write(evaluation.summary(run.dataset, run.backbone, run.recipe), smk.output.summary)
    PerClass.write(evaluation.per_class, smk.output.per_class)
    ConfusionCounts.write(evaluation.confusion, smk.output.confusion)
    save_in_print(confusion_figure(evaluation, f"{run.dataset}: {run.backbone}, {run.recipe}"), smk.output.figure)
    files = {file.split("/")[-2]: file for file in smk.input.predictions}
    files["splits"] = smk.input.splits
    write_json(made_of(files, run=dict(run), classes=evaluation.classes), smk.output.evaluated)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
