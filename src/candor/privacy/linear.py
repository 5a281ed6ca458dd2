"""The linear attacker: Fisher's discriminant with a shrunken covariance, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.covariance import ledoit_wolf

from candor.stats.intervals import FloatArray

RIDGE = 1e-6
"""Added to the variances of standardised states, lest those that never vary within a class divide by zero."""


@dataclass(frozen=True)
class Discriminant:
    r"""A linear discriminant, trained.

    With :math:`\mu_c` the mean of class :math:`c` and :math:`\Sigma` the covariance within classes, shrunken towards a
    multiple of the identity by Ledoit's and Wolf's rule, the class is that of the highest

    .. math:: x^\top\Sigma^{-1}\mu_c - \tfrac12\,\mu_c^\top\Sigma^{-1}\mu_c

    for classes that are equally likely beforehand. The projection is onto the directions in which the means differ,
    in a space where the covariance within classes is the identity.

    Parameters
    ----------
    offset, scale
        Mean and deviation by which states are standardised.
    whitening
        Makes the covariance within classes the identity, [dimensions, dimensions].
    means
        Of the classes, in that space, [classes, dimensions].
    directions
        In which these differ, [dimensions, classes − 1].

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", JMVA 88, 2004.
    .. [2] R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7, 1936.
    """

    offset: FloatArray
    scale: FloatArray
    whitening: FloatArray
    means: FloatArray
    directions: FloatArray

    @classmethod
    def fit(cls, states: FloatArray, labels: NDArray[np.intp], classes: int) -> Discriminant:
        """Return the discriminant of states [utterances, dimensions] and their class, each of which must occur."""
        offset, scale = states.mean(axis=0), states.std(axis=0)
        scale = np.where(scale > RIDGE, scale, 1.0)
        standard = (states - offset) / scale
        sums = np.zeros((classes, standard.shape[1]))
        np.add.at(sums, labels, standard)
        means = sums / np.bincount(labels, minlength=classes)[:, None]
        within, _ = ledoit_wolf(standard - means[labels], assume_centered=True)
        within[np.diag_indices_from(within)] += RIDGE
        lower = cholesky(within, lower=True)
        whitening = solve_triangular(lower, np.eye(len(lower)), lower=True)
        whitened = means @ whitening.T
        *_, directions = np.linalg.svd(whitened - whitened.mean(axis=0), full_matrices=False)
        return cls(offset, scale, whitening, whitened, directions[: max(classes - 1, 1)].T)

    def guess(self, states: FloatArray) -> NDArray[np.intp]:
        """Return the class of each utterance."""
        scores = self._whitened(states) @ self.means.T - 0.5 * (self.means**2).sum(axis=1)
        return np.asarray(scores.argmax(axis=1), dtype=np.intp)

    def project(self, states: FloatArray) -> FloatArray:
        """Return states in the directions in which the classes differ, [utterances, directions]; 0 is the mean."""
        return np.asarray((self._whitened(states) - self.means.mean(axis=0)) @ self.directions)

    def _whitened(self, states: FloatArray) -> FloatArray:
        return np.asarray((states - self.offset) / self.scale @ self.whitening.T)
