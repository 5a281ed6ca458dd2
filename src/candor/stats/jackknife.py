"""Intervals for figures that are no function of confusion counts, such as an area under a ROC curve.

The same interval as in `candor.stats.intervals`, for a figure that the caller computes without each speaker in turn.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from candor.stats.intervals import FloatArray, Interval, error_of, quantile

_EPSILON = 1e-12


def jackknife_interval(value: float, without: FloatArray, utterances: FloatArray, step: float) -> Interval:
    r"""Return a figure between 0 and 1 with an interval for other speakers of the same population.

    With :math:`\hat\theta_{(s)}` the figure without speaker :math:`s`, the interval is

    .. math::

        \operatorname{logit}^{-1}\!\left(\operatorname{logit}\hat\theta
        \pm t_{\nu}\,\frac{\hat\sigma}{\hat\theta(1-\hat\theta)}\right),\qquad
        \hat\sigma^2 = \frac{S-1}{S}\sum_s\bigl(\hat\theta_{(s)} - \bar\theta_{(\cdot)}\bigr)^2,\qquad
        \nu = \frac{(\sum_s n_s)^2}{\sum_s n_s^2} - 1

    Parameters
    ----------
    value
        The figure of all speakers.
    without
        The figure without each speaker; NaN where nothing remains of it.
    utterances
        How many each speaker has.
    step
        By how much one utterance more or less moves the figure. A value of exactly 0 or 1 has an open side, that of
        a figure one such step away.

    References
    ----------
    .. [1] B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", SIAM, 1982, chapter 3.
    """
    speakers = len(without)
    if speakers < 2 or np.isnan(without).any() or np.isnan(value):
        return Interval(value, np.nan, np.nan, speakers)
    inside = min(max(value, step), 1 - step)
    error = error_of(without)
    if inside != value or error < _EPSILON:
        # No speaker differs, which is no proof that others would not: what is left is binomial error.
        error = max(error, float(np.sqrt(step * inside * (1 - inside))))
    apart = quantile(utterances) * error / max(inside * (1 - inside), _EPSILON)
    low, high = (float(expit(logit(inside) + side * apart)) for side in (-1, 1))
    if value > 1 - _EPSILON:
        return Interval(value, low, value, speakers)
    if value < _EPSILON:
        return Interval(value, value, high, speakers)
    return Interval(value, min(low, value), max(high, value), speakers)


def paired_jackknife(difference: float, without: FloatArray, utterances: FloatArray, step: float) -> Interval:
    """Return a difference of two figures of the same speakers with its interval, as `stats.paired` does of counts.

    Parameters
    ----------
    difference
        Of all speakers.
    without
        The difference without each speaker.
    utterances, step
        As for `jackknife_interval`; the step bounds the error from below where all speakers are alike.
    """
    if len(without) < 2 or np.isnan(without).any() or np.isnan(difference):
        return Interval(difference, np.nan, np.nan, len(without))
    error = error_of(without)
    reach = quantile(utterances) * (error if error > _EPSILON else step)
    return Interval(difference, max(difference - reach, -1.0), min(difference + reach, 1.0), len(without))
