"""The key `privacy`: what would do nothing is refused."""

import pytest

from candor.config.loading import ConfigError, load


@pytest.mark.parametrize(
    ("privacy", "line"),
    [
        ({"attributes": ["sex"]}, "gender, speaker, membership"),
        ({"attributes": []}, "privacy.attributes"),
        ({"attackers": ["cnn", "cnn"]}, "each may occur once"),
        ({"attackers": ["linear"], "num_epochs": 3}, "num_epochs does nothing without cnn in attackers"),
        ({"attackers": ["linear"], "max_frames": 3}, "max_frames does nothing without cnn in attackers"),
        ({"attributes": ["membership"], "hidden_size": 3}, "hidden_size does nothing without gender or speaker"),
        ({"attributes": ["membership"], "attackers": ["cnn"]}, "attackers does nothing without gender or speaker"),
        ({"attributes": ["speaker"], "parity": "trust-ser"}, "parity 'trust-ser' is of gender"),
    ],
)
def test_what_would_do_nothing_is_refused(privacy, line):
    with pytest.raises(ConfigError, match=line):
        load({"privacy": privacy})
