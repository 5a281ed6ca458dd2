"""From the predictions of all folds and seeds to the tables of the stage."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from candor.performance.metrics import METRICS, chance, f1, precision
from candor.stats.clustering import clusters
from candor.stats.confusions import count_confusions, recall, uar
from candor.stats.intervals import FloatArray, Interval, speaker_interval


@dataclass(frozen=True)
class Evaluation:
    """What the test predictions of one backbone with one recipe amount to.

    Parameters
    ----------
    classes
        The emotions, in their order.
    counts
        Confusion counts `[speakers, seeds, classes, classes]`, truth in rows.
    metrics
        Rows of `RunSummary` without the names of dataset, backbone and recipe.
    per_class
        Rows of `PerClass`.
    confusion
        Rows of `ConfusionCounts`.
    """

    classes: list[str]
    counts: FloatArray
    metrics: pd.DataFrame
    per_class: pd.DataFrame
    confusion: pd.DataFrame

    def summary(self, dataset: str, backbone: str, recipe: str) -> pd.DataFrame:
        """Return the rows of `RunSummary`, which are also this run's rows of `Summary`."""
        names = {"dataset": dataset, "backbone": backbone, "recipe": recipe}
        return pd.concat([pd.DataFrame([names] * len(self.metrics)), self.metrics], axis=1)


def evaluate(
    predictions: pd.DataFrame, classes: list[str], speakers_in_train: int = 0, speakers_in_pretraining: int = 0
) -> Evaluation:
    """Evaluate the test predictions of all folds and seeds of one backbone with one recipe.

    The metrics are those of the utterances of all folds together, averaged over seeds. A class that never occurs in the
    truth has no recall: it is named in a warning and left out of the macro averages.

    Parameters
    ----------
    predictions
        Rows of `candor.tables.models.Predictions`, all folds and seeds.
    classes
        The emotions that the models choose from, in their order.
    speakers_in_train, speakers_in_pretraining
        How many of the test speakers are also in train, and were heard by the backbone before; both stand beside
        the figures.

    Raises
    ------
    ValueError
        If an utterance and seed occur twice, a seed lacks utterances that another has, an utterance has two
        labels, speakers or folds, or a class is not one of `classes`.
    """
    _check(predictions, classes)
    label = _codes(predictions["label"], classes)
    predicted = _codes(predictions["predicted"], classes)
    speaker, speakers = pd.factorize(clusters(predictions), sort=True)
    seed, seeds = pd.factorize(predictions["seed"], sort=True)
    fold, folds = pd.factorize(predictions["fold"], sort=True)
    size = len(classes)
    by_speaker = count_confusions([speaker, seed, label, predicted], [len(speakers), len(seeds), size, size])
    by_fold = count_confusions([fold, seed, label, predicted], [len(folds), len(seeds), size, size])
    _warn_of_absent(by_speaker, classes)
    return Evaluation(
        classes=list(classes),
        counts=by_speaker,
        metrics=_metric_rows(
            by_speaker,
            by_fold,
            utterances=predictions["utterance"].nunique(),
            speakers=len(by_speaker),
            speakers_in_train=speakers_in_train,
            speakers_in_pretraining=speakers_in_pretraining,
        ),
        per_class=_class_rows(by_speaker, classes),
        confusion=_confusion_rows(by_speaker, classes),
    )


def recall_interval(counts: FloatArray, index: int) -> Interval:
    """Return the recall of one class with its interval, from the speakers who speak it."""
    row = np.zeros_like(counts)
    row[:, :, index] = counts[:, :, index]
    return speaker_interval(row, lambda total: recall(total)[..., index])


def interpretable(by_speaker: FloatArray, by_fold: FloatArray) -> str:
    """Say whether audits of the models mean anything.

    Parameters
    ----------
    by_speaker
        Confusion counts `[speakers, seeds, classes, classes]`.
    by_fold
        Confusion counts `[folds, seeds, classes, classes]`, so one confusion matrix per model.

    Returns
    -------
    str
        ``one class`` if more than half of the models predict a single class where several are spoken;
        ``at chance`` if the interval of the UAR reaches down to chance (with one speaker, who gives no interval: if
        the UAR itself does); ``yes`` otherwise.
    """
    spoken, said = ((by_fold.sum(axis=axis) > 0).sum(axis=-1) for axis in (-1, -2))
    if np.mean((said == 1)[spoken > 1] if (spoken > 1).any() else 0) > 0.5:
        return "one class"
    interval = speaker_interval(by_speaker, uar)
    bound = interval.value if np.isnan(interval.low) else interval.low
    return "at chance" if bound <= chance(by_speaker.sum(axis=(0, 1)), uar) else "yes"


def _check(predictions: pd.DataFrame, classes: list[str]) -> None:
    if predictions.empty:
        raise ValueError("there are no predictions to evaluate")
    foreign = sorted((set(predictions["label"]) | set(predictions["predicted"])) - set(classes))
    if foreign:
        raise ValueError(f"predictions hold {foreign}, which are not among the classes {classes}")
    twice = predictions.duplicated(["utterance", "seed"])
    if twice.any():
        row = predictions.loc[twice].iloc[0]
        raise ValueError(f"two predictions of {row['utterance']} with seed {row['seed']}; each must occur once")
    seeds = set(predictions["seed"])
    for utterance, present in predictions.groupby("utterance")["seed"].nunique().items():
        if present < len(seeds):
            rows = predictions.loc[predictions["utterance"] == utterance]
            lacking = sorted(seeds - set(rows["seed"]))
            raise ValueError(f"fold {rows['fold'].iloc[0]}: no prediction of {utterance} with seed {lacking[0]}")
    for column in ("label", "speaker", "session", "fold"):
        several = predictions.groupby("utterance")[column].nunique()
        if (several > 1).any():
            raise ValueError(f"{several.idxmax()} has more than one {column}")


def _codes(values: pd.Series[str], classes: list[str]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return pd.Index(classes).get_indexer(pd.Index(values))


def _warn_of_absent(counts: FloatArray, classes: list[str]) -> None:
    occurring = counts.sum(axis=(0, 1, 3))
    absent = [name for name, number in zip(classes, occurring, strict=True) if number == 0]
    if absent:
        warnings.warn(f"no test utterance is {', '.join(absent)}: left out of UAR and macro-F1", stacklevel=3)


def _metric_rows(by_speaker: FloatArray, by_fold: FloatArray, **behind: int) -> pd.DataFrame:
    """Return a row per metric; `behind` are the numbers of what is behind it."""
    verdict = interpretable(by_speaker, by_fold)
    rows = []
    for name, statistic in METRICS.items():
        interval = speaker_interval(by_speaker, statistic)
        rows.append(
            {
                "metric": name,
                "value": interval.value,
                "low": interval.low,
                "high": interval.high,
                "fold_sd": _spread(statistic(by_fold).mean(axis=1)),
                "seed_sd": _spread(statistic(by_speaker.sum(axis=0))),
                "chance": chance(by_speaker.sum(axis=(0, 1)), statistic),
                "interpretable": verdict,
                **behind,
                "folds": len(by_fold),
                "seeds": by_speaker.shape[1],
            }
        )
    return pd.DataFrame(rows)


def _class_rows(by_speaker: FloatArray, classes: list[str]) -> pd.DataFrame:
    per_seed = by_speaker.sum(axis=0)
    total = per_seed.sum(axis=0)
    precisions, f1s = precision(per_seed).mean(axis=0), f1(per_seed).mean(axis=0)
    rows = []
    for index, name in enumerate(classes):
        speakers = int((by_speaker[:, :, index].sum(axis=(1, 2)) > 0).sum())
        interval = recall_interval(by_speaker, index) if speakers else Interval(np.nan, np.nan, np.nan, 0)
        wrong = np.where(np.arange(len(classes)) == index, 0, total[index])
        rows.append(
            {
                "class": name,
                "recall": interval.value,
                "low": interval.low,
                "high": interval.high,
                "precision": precisions[index],
                "f1": f1s[index],
                "utterances": int(per_seed[0, index].sum()),
                "speakers": speakers,
                "confused_with": classes[int(wrong.argmax())] if wrong.any() else "",
            }
        )
    return pd.DataFrame(rows)


def _confusion_rows(by_speaker: FloatArray, classes: list[str]) -> pd.DataFrame:
    total = by_speaker.sum(axis=(0, 1))
    rows = []
    for label, counts in zip(classes, total, strict=True):
        whole = counts.sum()
        for predicted, count in zip(classes, counts, strict=True):
            share = count / whole if whole else np.nan
            rows.append({"label": label, "predicted": predicted, "count": int(count), "share": share})
    return pd.DataFrame(rows)


def _spread(values: FloatArray) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
