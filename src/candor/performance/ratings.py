"""How well arousal or valence is foretold: from the predictions of all folds and seeds to the tables of the stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from candor.stats.clustering import clusters
from candor.stats.intervals import Interval

FloatArray = NDArray[np.float64]
Metric = Callable[[FloatArray, FloatArray], float]

_EPSILON = 1e-9


def ccc(predicted: FloatArray, true: FloatArray) -> float:
    r"""Return the concordance correlation coefficient, 0 where neither varies.

    .. math:: \frac{2\,\operatorname{cov}(p, t)}{\operatorname{var} p + \operatorname{var} t + (\bar p - \bar t)^2}

    References
    ----------
    .. [1] L. I-K. Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45, 1989.
    """
    apart = predicted.mean() - true.mean()
    covariance = ((predicted - predicted.mean()) * (true - true.mean())).mean()
    spread = predicted.var() + true.var() + apart**2
    return float(2 * covariance / spread) if spread > 0 else 0.0


def mae(predicted: FloatArray, true: FloatArray) -> float:
    """Return the mean absolute error, on the scale of the ratings."""
    return float(np.abs(predicted - true).mean())


@dataclass(frozen=True)
class Measure:
    """A metric, and the scale on which its error is symmetric."""

    metric: Metric
    there: Callable[[float], float]
    back: Callable[[float], float]


METRICS = {
    "ccc": Measure(ccc, lambda value: float(np.arctanh(np.clip(value, -1 + _EPSILON, 1 - _EPSILON))), np.tanh),
    "mae": Measure(mae, lambda value: float(np.log(max(value, _EPSILON))), np.exp),
}


@dataclass(frozen=True)
class RatingEvaluation:
    """What the test predictions of one backbone with one recipe amount to.

    Parameters
    ----------
    predictions
        What was evaluated, averaged over seeds.
    metrics
        Rows of `RunSummary` without the names of dataset, backbone and recipe.
    """

    predictions: pd.DataFrame
    metrics: pd.DataFrame

    def summary(self, dataset: str, backbone: str, recipe: str) -> pd.DataFrame:
        """Return the rows of `RunSummary`, which are also this run's rows of `Summary`."""
        names = {"dataset": dataset, "backbone": backbone, "recipe": recipe}
        return pd.concat([pd.DataFrame([names] * len(self.metrics)), self.metrics], axis=1)


def evaluate_ratings(
    predictions: pd.DataFrame, speakers_in_train: int = 0, speakers_in_pretraining: int = 0
) -> RatingEvaluation:
    """Evaluate the test predictions of all folds and seeds of one backbone with one recipe.

    Metrics are those of the utterances of all folds together, averaged over seeds.

    Parameters
    ----------
    predictions
        Rows of `candor.tables.models.RatingPredictions`, all folds and seeds.
    speakers_in_train, speakers_in_pretraining
        How many of the test speakers are also in train, and were heard by the backbone before.
    """
    if predictions.duplicated(["utterance", "seed"]).any():
        twice = predictions.loc[predictions.duplicated(["utterance", "seed"]), "utterance"].iloc[0]
        raise ValueError(f"{twice} is tested twice with the same seed")
    seeds = [rows.sort_values("utterance") for _, rows in predictions.groupby("seed")]
    if any(list(rows["utterance"]) != list(seeds[0]["utterance"]) for rows in seeds):
        raise ValueError("seeds differ in their test utterances")
    true = seeds[0]["value"].to_numpy(dtype=np.float64)
    said = np.stack([rows["predicted"].to_numpy(dtype=np.float64) for rows in seeds])
    cluster = pd.factorize(clusters(seeds[0]), sort=True)[0]
    folds = seeds[0]["fold"].to_numpy()
    verdict = _interpretable(said, true, cluster)
    rows = []
    for name, measure in METRICS.items():
        interval = rating_interval(said, true, cluster, measure)
        per_fold = [_averaged(said[:, folds == fold], true[folds == fold], measure) for fold in np.unique(folds)]
        per_seed = [measure.metric(one, true) for one in said]
        rows.append(
            {
                "metric": name,
                "value": interval.value,
                "low": interval.low,
                "high": interval.high,
                "fold_sd": _spread(per_fold),
                "seed_sd": _spread(per_seed),
                "chance": 0.0 if name == "ccc" else mae(np.full_like(true, true.mean()), true),
                "interpretable": verdict,
                "utterances": len(true),
                "speakers": int(cluster.max()) + 1,
                "speakers_in_train": speakers_in_train,
                "speakers_in_pretraining": speakers_in_pretraining,
                "folds": len(per_fold),
                "seeds": len(said),
            }
        )
    averaged = seeds[0].assign(predicted=said.mean(axis=0))
    return RatingEvaluation(averaged, pd.DataFrame(rows))


def rating_interval(
    said: FloatArray, true: FloatArray, cluster: NDArray[np.intp], measure: Measure, level: float = 0.95
) -> Interval:
    """Return a metric averaged over seeds, with an interval for other speakers of the same population.

    A delete-one-speaker jackknife with a Student t quantile, as `candor.stats.intervals` has it for classes, here on
    Fisher's z for the CCC and on the logarithm for the MAE.

    Parameters
    ----------
    said
        What each seed's models say, [seeds, utterances].
    true
        The ratings.
    cluster
        The speaker of each utterance, by number.
    measure
        The metric.
    level
        Nominal coverage.
    """
    value = _averaged(said, true, measure)
    sizes = np.bincount(cluster).astype(np.float64)
    if len(sizes) < 2:
        return Interval(value, np.nan, np.nan, len(sizes))
    without = np.array(
        [measure.there(_averaged(said[:, cluster != one], true[cluster != one], measure)) for one in range(len(sizes))]
    )
    error = np.sqrt((len(sizes) - 1) / len(sizes) * ((without - without.mean()) ** 2).sum())
    freedom = max(sizes.sum() ** 2 / (sizes**2).sum() - 1, 1.0)
    reach = float(stdtrit(freedom, 0.5 + level / 2)) * error
    low, high = (float(measure.back(measure.there(value) + side * reach)) for side in (-1, 1))
    return Interval(value, low, high, len(sizes))


def _averaged(said: FloatArray, true: FloatArray, measure: Measure) -> float:
    return float(np.mean([measure.metric(one, true) for one in said]))


def _interpretable(said: FloatArray, true: FloatArray, cluster: NDArray[np.intp]) -> str:
    interval = rating_interval(said, true, cluster, METRICS["ccc"])
    bound = interval.value if np.isnan(interval.low) else interval.low
    return "at chance" if bound <= 0 else "yes"


def _spread(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
