"""What can be said of leakage, and what is refused in one line."""

import pytest

from candor.config.loading import ConfigError, load


def refused(**leakage: object) -> str:
    with pytest.raises(ConfigError) as told:
        load({"leakage": leakage})
    return str(told.value)


def test_one_name_is_a_list_of_one() -> None:
    asked = load({"leakage": {"runs": "fed_avg", "shadows": "emodb", "attackers": "cnn", "updates_seen": 1}}).leakage
    assert (asked.runs, asked.shadows, asked.attackers, asked.updates_seen) == (["fed_avg"], ["emodb"], ["cnn"], [1])


def test_keys_of_the_network_do_nothing_without_it() -> None:
    assert refused(num_epochs=5) == (
        "config: leakage.num_epochs is 5; it does nothing without cnn in attackers; leave it out"
    )
    assert load({"leakage": {"attackers": ["logistic", "cnn"], "num_epochs": 5}}).leakage.num_epochs == 5


@pytest.mark.parametrize(
    ("leakage", "why"),
    [
        ({"updates_seen": [3, 5]}, "1 must be among them: headlines are of single updates"),
        ({"updates_seen": [1, 1]}, "each may occur once"),
        ({"updates_seen": [0]}, "greater than or equal to 1"),
        ({"attributes": []}, "at least 1"),
        ({"attributes": ["hair"]}, "gender"),
        ({"attackers": ["forest"]}, "logistic"),
        ({"shadow_models": 0}, "greater than or equal to 1"),
        ({"folds": "second"}, "first"),
        ({"shaddows": ["emodb"]}, "Did you mean 'shadows'?"),
    ],
)
def test_a_slip_is_one_line_with_what_is_allowed(leakage: dict[str, object], why: str) -> None:
    said = refused(**leakage)
    assert why in said
    assert "\n" not in said
