"""Which tests are asked for, and which slips the config refuses."""

import pytest

from candor.config.loading import ConfigError, load
from candor.config.robustness import DEFAULT_STRENGTHS
from candor.plan.robustness import tests_of as planned


def asked(**robustness):
    return load({"robustness": robustness})


def test_by_default_all_tests_are_made_at_their_usual_strengths():
    assert planned(load({})) == DEFAULT_STRENGTHS
    assert planned(asked(tests=None)) == DEFAULT_STRENGTHS


def test_the_strength_of_the_verdict_is_always_among_them_and_harder_ones_come_later():
    made = asked(tests={"white_noise": [0, 40], "room": [0.9], "resampling": []})
    assert planned(made) == {"white_noise": [40, 20, 0], "room": [0.4, 0.9], "resampling": [8000]}


def test_a_name_alone_or_in_a_list_takes_the_usual_strengths_and_false_drops_a_test():
    usual = DEFAULT_STRENGTHS["babble"]
    assert planned(asked(tests={"babble": None, "gain": False})) == {"babble": usual}
    assert planned(asked(tests=["babble"])) == {"babble": usual}
    assert list(planned(asked(tests=["room", "babble"]))) == ["babble", "room"], "in the order of the tables"


@pytest.mark.parametrize(
    ("robustness", "line"),
    [
        ({"tests": {"bable": [20]}}, r"robustness\.tests\.bable.*Did you mean 'babble'"),
        ({"tests": ["bable"]}, r"robustness\.tests\.bable"),
        ({"tests": ["gain", "gain"]}, r"robustness\.tests.*each test may occur once"),
        ({"tests": {"gain": [3, 3]}}, r"robustness\.tests.*each strength of gain may occur once"),
        ({"tests": {"low_pass": [8000]}}, r"tests\.low_pass is \[8000\]; it takes Hz from 20 to 7900, not 8000"),
        (
            {"tests": {"mu_law": [16.5]}},
            r"tests\.mu_law is \[16\.5\]; it takes whole levels from 4 to 65536, not 16\.5",
        ),
        (
            {"tests": {"room": [1]}},
            r"tests\.room is \[1\]; it takes seconds until an echo has faded by 60 dB from 0\.1 to 0\.9, not 1",
        ),
        ({"tests": {"white_noise": ["loud"]}}, r"robustness\.tests\.white_noise"),
        ({"tests": {"gain": False}}, r"robustness\.tests"),
        ({"utterances": 5}, r"robustness\.utterances"),
        ({"seeds": "some"}, r"robustness\.seeds is 'some'; allowed: first, all"),
        ({"utterence": 5}, r"robustness\.utterence is not a known key; allowed: seeds, tests, utterances"),
    ],
)
def test_slips_are_refused(robustness, line):
    with pytest.raises(ConfigError, match=line) as refused:
        asked(**robustness)
    assert "\n" not in str(refused.value).strip()
