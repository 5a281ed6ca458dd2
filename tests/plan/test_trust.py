"""The groups of a profile are those of the audit of fairness."""

import pytest

from candor.config.loading import ConfigError, load
from candor.plan.trust import check_trust, fairness_axis


@pytest.mark.parametrize(
    ("raw", "axis"),
    [
        ({}, "gender"),
        ({"fairness": {"groups": ["speaker", "session"]}}, "speaker"),
        ({"fairness": {"groups": ["speaker", "gender"]}}, "gender"),
        ({"trust": {"fairness_by": "session"}}, "session"),
        ({"fairness": {"groups": [["gender", "race"]]}, "trust": {"fairness_by": ["gender", "race"]}}, "gender+race"),
    ],
)
def test_gender_unless_something_else_is_asked_for(raw, axis):
    config = load(raw)
    check_trust(config)
    assert fairness_axis(config) == axis


def test_groups_that_are_not_audited_are_refused_with_what_is():
    config = load({"fairness": {"groups": ["gender", ["gender", "race"]]}, "trust": {"fairness_by": "age"}})
    with pytest.raises(ConfigError, match=r"trust.fairness_by is age; .* gender, \[gender, race\]"):
        check_trust(config)
