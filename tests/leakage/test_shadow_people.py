"""People: who is learned from and who chooses, who is told what, and what is dealt out anew."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from candor.leakage.people import Pupils, attributes_of, codes_of, dealt_anew, pupils


def many(women: int, men: int, lead: str = "s") -> dict[str, str]:
    return {f"{lead}{number}": "female" if number < women else "male" for number in range(women + men)}


def manifest(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["speaker", "gender", "age"])


def test_an_attribute_is_known_of_those_for_whom_it_never_changes() -> None:
    table = manifest([("a", "female", 20), ("a", "female", 20), ("b", "male", 31), ("c", "", 50), ("d", "male", 1)])
    table = pd.concat([table, manifest([("d", "female", 1), ("", "male", 2)])])
    assert attributes_of(table, "gender") == {"a": "female", "b": "male"}
    assert attributes_of(table, "gender", "x/") == {"x/a": "female", "x/b": "male"}
    ages = attributes_of(table, "age", age_bins=[30, 45])
    assert ages == {"a": "under 30", "b": "30 to 44", "c": "45 and over", "d": "under 30"}


@pytest.mark.parametrize(("women", "men"), [(2, 2), (3, 2), (20, 11), (2, 40)])
def test_nobody_is_both_learned_from_and_chosen_by_and_each_value_is_on_both_sides(women: int, men: int) -> None:
    known = many(women, men)
    victims = {"v1": "female", "v2": "male"}
    found = pupils(known | victims, list(known), victims, seed=3)
    assert isinstance(found, Pupils)
    assert not set(found.train) & set(found.dev)
    assert set(found.train) | set(found.dev) == set(known)
    assert set(found.train.values()) == set(found.dev.values()) == {"female", "male"}
    held_back = Counter(found.dev.values())
    assert held_back["female"] == max(1, round(0.2 * women + 1e-9))
    assert pupils(known | victims, list(known), victims, seed=3) == found
    assert set(found.parts) == set(known)
    of_parts = [{known[person] for person in known if found.parts[person] == part} for part in found.parts.values()]
    assert all(values == {"female", "male"} for values in of_parts)
    assert len(set(found.parts.values())) == min(5, women, men)


def test_there_is_no_attack_without_two_people_of_two_values() -> None:
    victims = {"v1": "female", "v2": "male"}
    told = pupils(many(3, 1), list(many(3, 1)), victims, 0)
    assert told == "two shadow people of two values are needed at least; found: 3 female, 1 male"
    assert "nobody whose value is known" in str(pupils({}, ["a"], victims, 0))
    assert "not of two of female, male" in str(pupils(many(3, 3), list(many(3, 3)), {"v1": "male"}, 0))


def test_what_is_dealt_anew_has_as_many_of_each_value_on_each_side_and_little_to_do_with_the_truth() -> None:
    known = many(13, 11)
    own = pupils(known, list(known), {"v": "female", "w": "male"}, 0)
    assert isinstance(own, Pupils)
    dealings = dealt_anew(own, 10, seed=5)
    right = []
    for told in dealings:
        for part in (own.train, own.dev):
            assert Counter(told[person] for person in part) == Counter(part.values())
        by_value = [
            np.mean([told[person] == value for person in own.told if own.told[person] == value]) for value in own.values
        ]
        right.append(np.mean(by_value))
    assert len({tuple(told.items()) for told in dealings}) == 10
    assert np.mean(right) == pytest.approx(0.5, abs=0.02)
    assert dealt_anew(own, 10, seed=5) == dealings


def test_of_few_people_there_are_as_many_dealings_all_the_same() -> None:
    own = Pupils(("female", "male"), {"a": "female", "b": "male"}, {"c": "female", "d": "male"}, {})
    assert len(dealt_anew(own, 10, seed=0)) == 10
    assert len({tuple(told.items()) for told in dealt_anew(own, 10, seed=0)}) == 4


def test_who_is_unknown_or_of_another_value_has_no_code() -> None:
    assert codes_of(["a", "b", "c", "d"], {"a": "x", "b": "y", "c": "z"}, ["x", "y"]).tolist() == [0, 1, -1, -1]
