"""From the folds of a run to its figures, and from the runs of a dataset to their comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from candor.federated.defences.words import over_folds
from candor.federated.pairs import pairs_of_runs
from candor.performance.compare import System, compare
from candor.performance.evaluate import evaluate

PIXELS = "pixels"
"""What stands for the features of a run that has none of a backbone."""


def summary_of_run(
    names: Mapping[str, str],
    predictions: pd.DataFrame,
    classes: Sequence[str],
    rounds: Sequence[pd.DataFrame],
    clients: Sequence[pd.DataFrame],
    defences: Sequence[Mapping[str, Any]],
    speakers_in_train: int = 0,
    speakers_in_pretraining: int = 0,
) -> pd.DataFrame:
    """Return the rows of `FederatedRunSummary`: the test figures of all folds with their intervals.

    Parameters
    ----------
    names
        Dataset, run, backbone and model_type.
    predictions
        Rows of `FederatedPredictions` of all folds.
    classes
        What the models choose from, in order.
    rounds, clients
        Rows of `Rounds` and of `ClientsHeld`, fold by fold.
    defences
        What the facts of each fold say under `defence`.
    speakers_in_train, speakers_in_pretraining
        How many test speakers are among the clients, and were heard by the backbone before.
    """
    evaluation = evaluate(on_their_own(predictions), list(classes), speakers_in_train, speakers_in_pretraining)
    metrics, count = evaluation.metrics.drop(columns=["seed_sd", "seeds"]), len(rounds)
    same = {**names, **over_folds(defences)}
    return pd.concat([pd.DataFrame([same] * len(metrics)), metrics], axis=1).assign(
        clients=sum(map(len, clients)) / count,
        rounds=sum(map(len, rounds)) / count,
        selected_round=sum(int(own.loc[own["selected"] == "yes", "round"].iloc[0]) for own in rounds) / count,
        bytes=sum(int(own["bytes_down"].sum() + own["bytes_up"].sum()) for own in rounds) / count,
    )


def compare_runs(
    dataset: str,
    predictions: Mapping[tuple[str, str], pd.DataFrame],
    names: Mapping[tuple[str, str], str],
    classes: Sequence[str],
) -> pd.DataFrame:
    """Compare every two runs on the same features, and every two features with the same entry of the config.

    Parameters
    ----------
    dataset
        Name of the dataset.
    predictions
        Rows of `FederatedPredictions` of all folds of each run, by its features and entry.
    names
        The run of these.
    classes
        What the models choose from, in order.

    Returns
    -------
    DataFrame
        Rows of `FederatedComparison`.
    """
    systems = [System.of(*which, on_their_own(own), classes) for which, own in predictions.items()]
    return pairs_of_runs(compare(dataset, systems), names)


def on_their_own(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return predictions in which examples that come from nobody in particular stand for themselves."""
    nobody = (predictions["speaker"] == "") & (predictions["session"] == "")
    return predictions.assign(speaker=predictions["speaker"].where(~nobody, predictions["utterance"]))
