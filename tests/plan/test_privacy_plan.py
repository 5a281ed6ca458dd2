"""Which layers are attacked, what each job is told, and what cannot be attacked."""

import pytest

from candor.config.loading import ConfigError, load
from candor.plan.privacy import check_privacy, layer_spans, layers_of, settings_of_layers, settings_of_models


def test_layers_are_attacked_where_they_are_the_same_for_all_models():
    made = load({"recipes": {"cnn": None, "whole": {"audio_duration": None}, "tuned": {"mode": "full"}}})
    assert layer_spans(made, "demo", "apc_demo") == {"first6s": 6.0, "whole": None}
    assert layers_of(made, "cnn") == ("first6s", "")
    assert layers_of(made, "tuned")[0] == ""
    assert "tunes the backbone" in layers_of(made, "tuned")[1]
    assert layer_spans(load({"privacy": {"attributes": ["membership"]}}), "demo", "fbank") == {}


def test_each_job_is_told_what_it_uses_and_nothing_else():
    both, members = (
        load({"privacy": {"attributes": own}}) for own in (["speaker", "gender"], ["membership", "gender"])
    )
    assert settings_of_layers(both, True)["attributes"] == settings_of_layers(load({}), True)["attributes"]
    assert settings_of_layers(members, True)["attributes"] == ["gender"]
    assert settings_of_models(members)["attributes"] == ["gender", "membership"]
    fewer = load({"privacy": {"max_frames": 3}})
    assert settings_of_layers(fewer, True) != settings_of_layers(load({}), True)
    assert settings_of_layers(fewer, False) == settings_of_layers(load({}), False)
    assert settings_of_models(fewer) == settings_of_models(load({}))


def test_a_number_of_frames_needs_frames():
    with pytest.raises(
        ConfigError, match=r"privacy\.max_frames is 3, which does nothing: no recipe has any frames kept"
    ):
        check_privacy(load({"recipes": {"cnn": False, "linear": None}, "privacy": {"max_frames": 3}}))
    check_privacy(load({"privacy": {"max_frames": 3}}))


def test_trust_sers_attack_needs_frames():
    pooled = {"recipes": {"cnn": False, "linear": None}, "privacy": {"parity": "trust-ser"}}
    with pytest.raises(ConfigError, match=r"privacy\.parity is 'trust-ser', which reads frames"):
        check_privacy(load(pooled))
    check_privacy(load({"privacy": {"parity": "trust-ser"}}))
