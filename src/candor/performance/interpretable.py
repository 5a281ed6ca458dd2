"""Whether an audit of models means anything, by what they say of test speakers."""

from __future__ import annotations

import warnings

import pandas as pd

from candor.corpora.emotions import classes_in
from candor.performance.evaluate import evaluate
from candor.performance.ratings import evaluate_ratings


def interpretable(predictions: pd.DataFrame) -> str:
    """Say whether audits of models mean anything: ``yes``, ``at chance`` or ``one class``.

    Parameters
    ----------
    predictions
        Rows of `Predictions` or `RatingPredictions`, all folds.
    """
    if "label" not in predictions:
        return str(evaluate_ratings(predictions).metrics["interpretable"].iloc[0])
    classes = classes_in([*predictions["label"], *predictions["predicted"]])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="no test utterance is ")
        return str(evaluate(predictions, classes).metrics["interpretable"].iloc[0])
