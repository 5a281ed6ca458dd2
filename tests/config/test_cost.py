"""The key `cost`: what it refuses in one line."""

import pytest

from candor.config.loading import ConfigError, load


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({"measured_seconds": 0}, "config: cost.measured_seconds is 0"),
        ({"measured_seconds": "long"}, "config: cost.measured_seconds is 'long'"),
        ({"parity": "fed-ser"}, "config: cost.parity is 'fed-ser'; allowed: trust-ser."),
        ({"seconds": 3}, "config: cost.seconds"),
    ],
)
def test_a_mistake_is_one_line(raw, line):
    with pytest.raises(ConfigError) as error:
        load({"cost": raw})
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)
