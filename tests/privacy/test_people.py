"""Who learns from whom, and who is tested: nobody is heard twice, no sentence is on both sides."""

import numpy as np
import pytest

from candor.privacy.people import LEAST_UTTERANCES, People, closed_set, deal, gender_training, lineup
from privacy.crowds import crowd, folds, manifest


def test_gender_is_learned_from_other_speakers_than_it_is_tested_on():
    people = crowd()
    tested = []
    for fold in people.parts:
        training, test = gender_training(people, fold)
        learned = set(people.speakers[np.concatenate([training.train, training.dev])])
        assert not learned & set(people.speakers[test])
        assert set(people.parts[fold][training.dev]) == {"dev"}
        assert (training.labels[test] == (people.genders[test] == "female")).all()
        tested += test.tolist()
    assert sorted(tested) == list(range(len(people)))


def test_where_folds_share_speakers_those_who_are_tested_are_left_out_of_the_training():
    table = manifest()
    shared = folds(table)
    shared[1].loc[shared[1]["speaker"] == "s00", "part"] = ["train", *["test"] * 11]
    training, test = gender_training(People.of(table, shared), 1)
    people = People.of(table, shared)
    assert "s00" not in people.speakers[training.train]
    assert "s00" in people.speakers[test]


def test_unknown_gender_takes_no_part_and_one_gender_is_no_attack():
    table = manifest()
    table.loc[table["speaker"] == "s04", "gender"] = ""
    people = crowd(table)
    for fold in people.parts:
        training, test = gender_training(people, fold)
        everybody = np.concatenate([training.train, training.dev, test])
        assert "s04" not in people.speakers[everybody]
    assert isinstance(gender_training(crowd(manifest(gender="male")), 1), str)


def test_no_sentence_of_a_speaker_is_in_enrolment_and_probe():
    people = crowd()
    dealt = deal(people)
    assert not (dealt.enrolment & dealt.probe).any()
    assert dealt.left_out == 0
    for speaker in set(people.speakers):
        own = people.speakers == speaker
        assert not set(people.texts[own & dealt.enrolment]) & set(people.texts[own & dealt.probe])
        assert (own & dealt.enrolment).sum() == (own & dealt.probe).sum() == 6


def test_without_texts_the_first_half_by_name_is_enrolled():
    people = crowd(manifest(text=""))
    dealt = deal(people)
    own = np.flatnonzero(people.speakers == "s03")
    names = [people.utterances[number] for number in own]
    assert [name for name, enrolled in zip(names, dealt.enrolment[own], strict=True) if enrolled] == sorted(names)[:6]
    assert "by name" in dealt.told()


@pytest.mark.parametrize(
    ("table", "known"),
    [(manifest(sentences=3, takes=1), True), (manifest(sentences=1), True), (manifest(), False)],
)
def test_who_says_too_little_or_one_sentence_or_is_not_known_is_left_out_and_counted(table, known):
    people = People.of(table if known else table.assign(speaker=""), folds(table))
    dealt = deal(people)
    assert dealt.left_out == len(people)
    assert str(LEAST_UTTERANCES) in closed_set(people, dealt)


def test_all_speakers_are_candidates_but_through_a_model_only_unheard_ones_are_probes():
    people = crowd()
    dealt = deal(people)
    training, probes, names = closed_set(people, dealt)
    assert (len(names), len(probes)) == (12, 72)
    assert set(training.labels[training.train]) == set(range(12))
    assert set(training.labels[training.dev]) == set(range(12))
    assert not set(people.texts[probes]) & set(people.texts[training.train])
    training, probes, names = closed_set(people, dealt, 2)
    assert len(names) == 12
    assert set(people.speakers[probes]) == people.unheard(2)
    assert set(people.parts[2][probes]) == {"test"}


def test_who_is_verified_was_never_learned_from():
    people = crowd()
    own = lineup(people, deal(people), 1)
    learned = set(people.speakers[np.concatenate([own.training.train, own.training.dev])])
    assert not learned & set(own.enrolled)
    assert own.tested == people.unheard(1) == set(own.enrolled)


def test_where_one_speaker_is_tested_dev_speakers_are_the_other_people():
    table = manifest(speakers=6)
    alone = folds(table)
    alone[1]["part"] = np.select(
        [table["speaker"] == "s00", table["speaker"].isin(["s01", "s02"])], ["test", "dev"], "train"
    )
    people = People.of(table, alone)
    own = lineup(people, deal(people), 1)
    assert own.tested == {"s00"}
    assert set(own.enrolled) == {"s00", "s01", "s02"}


def test_where_nobodys_gender_is_known_that_is_the_reason():
    table = manifest().assign(gender="")
    assert gender_training(People.of(table, folds(table)), 1) == "the corpus tells nobody's gender"


def test_the_control_has_the_same_labels_on_other_utterances():
    training, _ = gender_training(crowd(), 1)
    control = training.dealt_anew(np.random.default_rng(0))
    for numbers in (training.train, training.dev):
        assert sorted(control.labels[numbers]) == sorted(training.labels[numbers])
    assert (control.labels != training.labels).any()
    assert (training.labels[training.train] == gender_training(crowd(), 1)[0].labels[training.train]).all()


def test_the_control_agrees_with_the_truth_as_often_as_by_chance_and_no_more_or_less():
    training, _ = gender_training(crowd(), 1)
    control = training.dealt_anew(np.random.default_rng(0))
    for numbers in (training.train, training.dev):
        for gender in range(training.classes):
            own = control.labels[numbers][training.labels[numbers] == gender]
            share = np.bincount(own, minlength=training.classes) / len(own)
            whole = np.bincount(training.labels[numbers], minlength=training.classes) / len(numbers)
            assert share == pytest.approx(whole, abs=1 / len(own))
