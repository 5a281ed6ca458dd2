"""Evaluate what models say of disturbed speech: change, share unchanged, tests passed; write a table and a figure."""

import pandas as pd

from candor.figures import save_in_print
from candor.robustness.emotion_answers import EmotionAnswers
from candor.robustness.evaluate import results
from candor.robustness.figures import curves_figure
from candor.robustness.rating_answers import RatingAnswers
from candor.runtime import start_logging
from candor.tables.models import Predictions, RatingPredictions
from candor.tables.robustness import Disturbed, DisturbedRatings, RobustnessResult


def main(smk) -> None:
    start_logging(smk.log[0])
    run, out = smk.wildcards, smk.output
    if smk.params.pred == "emotion":
        said, disturbed, answers = Predictions, Disturbed, EmotionAnswers
    else:
        said, disturbed, answers = RatingPredictions, DisturbedRatings, RatingAnswers
    predictions = pd.concat([said.read(file) for file in smk.input.predictions])
    found = answers(disturbed.read(smk.input.disturbed), predictions)
    RobustnessResult.write(results(found, smk.params.tests), out.summary)
    title = f"{run.dataset}: {run.backbone}, {run.recipe}"
    save_in_print(curves_figure(RobustnessResult.read(out.summary), title), out.curves)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
