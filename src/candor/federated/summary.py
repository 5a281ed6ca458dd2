"""From the folds of a run to its figures, and from the runs of a dataset to their comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from candor.performance.compare import System, compare
from candor.performance.evaluate import evaluate
from candor.tables.federated import FederatedComparison

PIXELS = "pixels"
"""What stands for the features of a run that has none of a backbone."""


def summary_of_run(
    names: Mapping[str, str],
    predictions: pd.DataFrame,
    classes: Sequence[str],
    rounds: Sequence[pd.DataFrame],
    clients: Sequence[pd.DataFrame],
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
    speakers_in_train, speakers_in_pretraining
        How many test speakers are among the clients, and were heard by the backbone before.
    """
    evaluation = evaluate(on_their_own(predictions), list(classes), speakers_in_train, speakers_in_pretraining)
    metrics, count = evaluation.metrics.drop(columns=["seed_sd", "seeds"]), len(rounds)
    return pd.concat([pd.DataFrame([dict(names)] * len(metrics)), metrics], axis=1).assign(
        clients=sum(map(len, clients)) / count,
        rounds=sum(map(len, rounds)) / count,
        selected_round=sum(int(own.loc[own["selected"] == "yes", "round"].iloc[0]) for own in rounds) / count,
        bytes=sum(int(own["bytes_down"].sum() + own["bytes_up"].sum()) for own in rounds) / count,
    )


def compare_runs(
    dataset: str, runs: Mapping[str, tuple[str, str]], predictions: Mapping[str, pd.DataFrame], classes: Sequence[str]
) -> pd.DataFrame:
    """Compare every two runs on the same features, and every two features with the same entry of the config.

    Parameters
    ----------
    dataset
        Name of the dataset.
    runs
        Features and entry of each run, by its name.
    predictions
        Rows of `FederatedPredictions` of all folds of each run.
    classes
        What the models choose from, in order.

    Returns
    -------
    DataFrame
        Rows of `FederatedComparison`.
    """
    systems = [System.of(*names, on_their_own(predictions[run]), classes) for run, names in runs.items()]
    rows = compare(dataset, systems)
    run_of = {names: run for run, names in runs.items()}
    for side in ("a", "b"):
        pairs = zip(rows[f"backbone_{side}"], rows[f"recipe_{side}"], strict=True)
        rows[f"run_{side}"] = [run_of[pair] for pair in pairs]
    ahead = [row[f"{row['differ_in']}_a"] == row["better"] for row in rows.to_dict("records")]
    behind = [row[f"{row['differ_in']}_b"] == row["better"] for row in rows.to_dict("records")]
    better = rows["run_a"].where(ahead, rows["run_b"].where(behind, rows["better"]))
    return rows.assign(better=better, differ_in=rows["differ_in"].replace("recipe", "entry"))[
        [column.name for column in FederatedComparison.columns]
    ]


def on_their_own(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return predictions in which examples that come from nobody in particular stand for themselves."""
    nobody = (predictions["speaker"] == "") & (predictions["session"] == "")
    return predictions.assign(speaker=predictions["speaker"].where(~nobody, predictions["utterance"]))
