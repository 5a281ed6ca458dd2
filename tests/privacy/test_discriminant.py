"""The linear attacker against scikit-learn's discriminant analysis with the same covariance."""

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from candor.privacy.linear import RIDGE, Discriminant


class Given:
    """A covariance that is known."""

    def __init__(self, covariance):
        self.covariance_ = covariance

    def fit(self, states):
        return self


def planted(classes=4, each=30, dimensions=12, seed=0):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(dimensions, dimensions))
    labels = np.repeat(np.arange(classes), each)
    centres = random.normal(size=(classes, dimensions))
    return centres[labels] + random.normal(size=(len(labels), dimensions)) @ mixing / 3, labels


@pytest.mark.parametrize("classes", [2, 4])
def test_guesses_and_projections_are_those_of_scikit_learn(classes):
    states, labels = planted(classes)
    own = Discriminant.fit(states, labels, classes)
    standard = (states - states.mean(axis=0)) / states.std(axis=0)
    means = np.stack([standard[labels == code].mean(axis=0) for code in range(classes)])
    within = ledoit_wolf(standard - means[labels], assume_centered=True)[0] + RIDGE * np.eye(states.shape[1])
    equal = np.full(classes, 1 / classes)
    other = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Given(within), priors=equal)
    other.fit(standard, labels)
    assert np.array_equal(own.guess(states), other.predict(standard))
    # Fisher's directions: those of the greatest variance between means, of variance one within.
    between = np.cov(means.T, bias=True)
    _, directions = eigh(between, within)
    projected = (standard - means.mean(axis=0)) @ directions[:, -(classes - 1) :]
    # They are told up to a rotation and a sign, which inner products do not see.
    assert own.project(states) @ own.project(states).T == pytest.approx(projected @ projected.T, abs=1e-6)


def test_states_that_never_vary_within_a_class_do_no_harm():
    labels = np.repeat(np.arange(3), 5)
    states = np.column_stack([np.eye(3)[labels], np.ones(15)])
    own = Discriminant.fit(states, labels, 3)
    assert np.array_equal(own.guess(states), labels)
    assert np.isfinite(own.project(states)).all()
