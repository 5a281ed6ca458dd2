"""Evaluate the test predictions of a rating in all folds; write the summary and a figure."""

import pandas as pd

from candor.figures import save_in_print
from candor.made_of import made_of
from candor.performance.heard import speakers_heard
from candor.performance.rating_figures import rating_figure
from candor.performance.ratings import evaluate_ratings
from candor.runtime import start_logging
from candor.tables.base import write_json
from candor.tables.models import RatingPredictions
from candor.tables.performance import RunSummary
from candor.tables.splits import SplitOverview


def main(smk) -> None:
    start_logging(smk.log[0])
    run = smk.wildcards
    predictions = pd.concat([RatingPredictions.read(file) for file in smk.input.predictions])
    shared = SplitOverview.speakers_in_train(SplitOverview.read(smk.input.splits))
    pretrained = smk.input.get("heard")
    heard = speakers_heard(predictions, pretrained, smk.input.audio, smk.input.heard_audio) if pretrained else 0
    evaluation = evaluate_ratings(predictions, shared, heard)
    summary = evaluation.summary(run.dataset, run.backbone, run.recipe)
    RunSummary.write(summary, smk.output.summary)
    save_in_print(rating_figure(evaluation, f"{run.dataset}: {run.backbone}, {run.recipe}"), smk.output.figure)
    files = {file.split("/")[-2]: file for file in smk.input.predictions}
    files["splits"] = smk.input.splits
    write_json(made_of(files, run=dict(run), pred=smk.params.pred), smk.output.evaluated)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
