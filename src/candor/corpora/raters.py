"""What raters say, held against what a corpus says that they say on average."""

from __future__ import annotations

from collections.abc import Sequence

Ratings = Sequence[float | None]

TOLERANCE = 0.01
"""Label files round their means."""


def means_match(means: Ratings, opinions: Sequence[Ratings]) -> bool:
    """Tell whether opinions have these means; then no line of them is lost and none belongs elsewhere.

    Parameters
    ----------
    means
        The ratings of a clip, of which one at least must be there to compare.
    opinions
        Those of each rater, in the same order.

    >>> means_match([2.5, None], [[2, 1], [3, None]])
    True
    >>> means_match([2.5, None], [[2, 1]])
    False
    """
    for place, mean in enumerate(means):
        given = [value for opinion in opinions if (value := opinion[place]) is not None]
        if mean is not None and not (given and abs(sum(given) / len(given) - mean) < TOLERANCE):
            return False
    return any(mean is not None for mean in means)
