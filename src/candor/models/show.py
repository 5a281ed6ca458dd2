"""Print what models say about recordings for a terminal."""

from __future__ import annotations

from candor.models.ensemble import Ensemble, by_speaker
from candor.models.predicting import Labelled, Row


def labelled_text(labelled: Labelled, ensemble: Ensemble) -> str:
    """Return an aligned table of what models say, and below it what one has to know to read it."""
    lines = [_heads(labelled.rows[0], ensemble.task.pred), *map(_cells, labelled.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*table, "", *_notes(labelled, ensemble)])


def _heads(row: Row, pred: str) -> list[str]:
    if "sd" in row:
        return ["file", pred, "sd of models"]
    return ["file", pred, "probability", "models agreeing", *map(_class_of, _chances(row))]


def _cells(row: Row) -> list[str]:
    if "sd" in row:
        return [row["file"], f"{row['predicted']:.2f}", "-" if row["sd"] is None else f"{row['sd']:.2f}"]
    chances = _chances(row)
    own = chances[f"p_{row['predicted']}"]
    agreeing = f"{row['agreeing']} of {row['models']}"
    return [row["file"], row["predicted"], f"{own:.2f}", agreeing, *(f"{chance:.2f}" for chance in chances.values())]


def _chances(row: Row) -> dict[str, float]:
    return {name: value for name, value in row.items() if name.startswith("p_")}


def _class_of(column: str) -> str:
    return column.removeprefix("p_")


def _notes(labelled: Labelled, ensemble: Ensemble) -> list[str]:
    count = len(labelled.rows)
    known = " and ".join(f"`candor show performance/{dataset}`" for dataset in ensemble.datasets())
    notes = [f"From {ensemble.trained_on()}. How good they are there: {known}; elsewhere expect less."]
    if labelled.cut:
        heard = max(row["heard"] for row in labelled.rows)
        notes.append(f"Only the first {heard:g} s were used of {labelled.cut} of {count} recordings.")
    if any(map(by_speaker, ensemble.models)):
        notes.append(
            f"The models normalise by speaker: {count} recordings were taken to be all that there is of one speaker."
            if count > 1
            else "The models normalise by speaker: give several recordings of the same one, for one alone says little."
        )
    return notes
