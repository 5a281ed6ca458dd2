"""Which clips take part: by what is predicted, by class, by value."""

import pytest

from candor.corpora.choice import choose, make_choice
from candor.corpora.reader import Card, Clip, CorpusError, Reading, Rejection

CARD = Card(
    title="made up",
    licence="none",
    url="",
    redistributable=False,
    layout="files",
    markers=("*",),
    classes=("neutral", "anger"),
    dimensions=("arousal",),
)
CLIPS = [
    Clip("a", "a.wav", "s1", scenario="impro", raw_label="ang", label="anger", arousal=4.5),
    Clip("b", "b.wav", "s1", scenario="script", raw_label="neu", label="neutral"),
    Clip("c", "c.wav", "s2", scenario="impro", raw_label="xxx", reason="no agreement", arousal=2.0),
    Clip("d", "d.wav", "s2", scenario="impro", raw_label="fru", label="frustration", arousal=3.0),
]


def chosen(pred="emotion", classes="default", **wanted):
    reading = Reading(CLIPS)
    choice = make_choice(CARD, "default", reading, dataset="mine", pred=pred, classes=classes, wanted=wanted)
    kept, left_out = choose(reading, choice, "mine")
    assert len(kept) + len(left_out) == len(CLIPS)
    return "".join(clip.utterance for clip in kept), {rejection.utterance: rejection.reason for rejection in left_out}


def test_emotion_takes_the_usual_classes():
    assert chosen() == ("ab", {"c": "no agreement", "d": "class not kept: frustration"})
    assert chosen(classes="all") == ("abd", {"c": "no agreement"})


def test_a_rating_takes_every_clip_that_has_it_whatever_its_emotion():
    assert chosen("arousal") == ("acd", {"b": "no rating of arousal"})


def test_a_rating_of_some_classes_only():
    assert chosen("arousal", ["anger"])[0] == "a"
    assert chosen("arousal", "all") == ("ad", {"b": "no rating of arousal", "c": "no agreement"})


def test_what_a_system_leaves_out_takes_no_part_whatever_is_predicted():
    clip = Clip("e", "e.wav", "s1", raw_label="ang", label="anger", arousal=4.5, excluded="left out by that system: so")
    for pred in ("emotion", "arousal"):
        choice = make_choice(CARD, "default", Reading([clip]), dataset="mine", pred=pred, classes="default", wanted={})
        assert choice.objection(clip) == Rejection("e.wav", "filter", "left out by that system: so", "e")


def test_a_scenario_can_be_asked_for():
    assert chosen(classes="all", scenario=["impro"]) == (
        "ad",
        {"b": "filtered by scenario: script", "c": "no agreement"},
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pred": "valence"}, r"mine: filter and pred keep no clip: no rating of valence \(4\)"),
        (
            {"scenario": ["read"]},
            r"datasets\.mine\.filter\.scenario: no clip has the scenario read; there are impro \(3\), script \(1\)",
        ),
        ({"classes": ["fear"]}, r"datasets\.mine\.classes: 'fear' has no clip; the corpus has"),
        ({"mood": ["x"]}, r"datasets\.mine\.filter: no column is called 'mood'; there are speaker, gender"),
    ],
)
def test_what_nothing_has_is_told_with_what_there_is(arguments, said):
    with pytest.raises(CorpusError, match=said):
        chosen(**arguments)
