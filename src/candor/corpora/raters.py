"""What raters say, held against what a corpus says that they say on average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from candor.corpora.reader import Rejection

Ratings = tuple[float | None, ...]

TOLERANCE = 0.01
"""Label files round their means."""


class Opinion(NamedTuple):
    """What one rater says of a clip."""

    rater: str
    emotion: str
    ratings: Ratings


def count_votes(opinions: Sequence[Opinion], means: Ratings) -> dict[str, float] | None:
    """Return raters per emotion of a clip, or None where lines seem to be missing or to belong elsewhere.

    The ratings of a clip are the means of its raters', so lines that were lost or are foreign give themselves away.
    Some raters' lines are in the files twice; whether the means count them so is not documented, and a rater has one
    vote.

    Parameters
    ----------
    opinions
        Of the clip, a line each.
    means
        The clip's own ratings, in the order of the raters'.
    """
    different = {opinion.rater: opinion for opinion in opinions}
    if any(different[opinion.rater] != opinion for opinion in opinions):
        return None
    if not any(
        means_match(means, [opinion.ratings for opinion in lines]) for lines in (opinions, list(different.values()))
    ):
        return None
    counts = Counter(opinion.emotion for opinion in different.values())
    return {emotion: float(number) for emotion, number in counts.items()}


def votes_left_blank(name: str, doubtful: Collection[str]) -> list[Rejection]:
    """Tell in one line of how many clips the raters' lines in the file `name` do not add up; of none, nothing."""
    if not doubtful:
        return []
    reason = f"votes left blank: the raters' lines do not add up for {len(doubtful)} clips, such as {min(doubtful)}"
    return [Rejection(name, "label", reason)]


def means_match(means: Ratings, opinions: Sequence[Ratings]) -> bool:
    """Tell whether opinions have these means; then no line of them is lost and none belongs elsewhere.

    Parameters
    ----------
    means
        The ratings of a clip, of which one at least must be there to compare.
    opinions
        Those of each rater, in the same order.

    >>> means_match((2.5, None), [(2, 1), (3, None)])
    True
    >>> means_match((2.5, None), [(2, 1)])
    False
    """
    for place, mean in enumerate(means):
        given = [value for opinion in opinions if (value := opinion[place]) is not None]
        if mean is not None and not (given and abs(sum(given) / len(given) - mean) < TOLERANCE):
            return False
    return any(mean is not None for mean in means)
