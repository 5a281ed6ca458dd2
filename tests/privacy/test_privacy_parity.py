"""Gender as trust-ser attacks it, on frames whose gender is known."""

import json

import pandas as pd
import pytest

from candor.privacy.parity import RECIPE, ParityError, as_trust_ser
from candor.store.objects import Store
from privacy.crowds import folds, manifest
from privacy.test_jobs import kept_frames


def test_a_gender_that_is_heard_is_found_and_the_file_is_in_that_systems_format(tmp_path):
    table = manifest()
    store = Store(tmp_path / "store")
    index = kept_frames(table, store, tmp_path, shift=2.0)
    found = as_trust_ser(folds(table)[1], index, store)
    assert set(found) == {"1", "average", "std"}
    assert found["1"] == {"uar": 100.0, "acc": 100.0} == found["average"]
    assert found["std"] == {"uar": 0.0, "acc": 0.0}
    json.dumps(found)


def test_its_setting_is_what_is_written_into_its_program():
    assert (RECIPE.learning_rate, RECIPE.num_epochs, RECIPE.batch_size, RECIPE.hidden_size) == (5e-4, 10, 64, 256)
    assert (RECIPE.weight_decay, RECIPE.clip_norm, RECIPE.norm, RECIPE.pooling) == (1e-4, 0.0, "nonorm", "mean")


def test_without_both_genders_it_ends_with_a_line(tmp_path):
    table = manifest(gender="male")
    with pytest.raises(ParityError, match=r"privacy\.parity is 'trust-ser', but not both genders are in train"):
        as_trust_ser(folds(table)[1], pd.DataFrame(), Store(tmp_path / "store"))
