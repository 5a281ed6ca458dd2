import time

from hypothesis import given
from hypothesis import strategies as st

from candor.store import ledger as ledger_module
from candor.store.ledger import Ledger

words = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(batches=st.lists(st.dictionaries(words, words, max_size=5), max_size=4))
def test_a_ledger_holds_what_a_dictionary_would(tmp_path_factory, batches):
    folder = tmp_path_factory.mktemp("ledger")
    expected = {}
    for batch in batches:
        with Ledger(folder) as ledger:
            for key, value in batch.items():
                ledger.put(key, value)
        expected |= batch
        time.sleep(0.002)  # batches are ordered by time
    assert Ledger(folder).items() == expected


def test_entries_survive_a_kill_after_a_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_module, "FLUSH_ENTRIES", 10)
    killed = Ledger(tmp_path)
    for number in range(25):
        killed.put(f"key{number}", "value")
    assert len(Ledger(tmp_path).items()) == 20


def test_a_half_written_batch_is_no_batch(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.put("key", "value")
    (tmp_path / ".abc.part").write_text("other\tval", encoding="utf-8")
    (tmp_path / "cut.tsv").write_text("a key without its value", encoding="utf-8")
    assert Ledger(tmp_path).items() == {"key": "value"}


def test_compacting_keeps_what_is_wanted_in_one_file(tmp_path):
    for number in range(4):
        with Ledger(tmp_path) as ledger:
            ledger.put(f"key{number}", str(number))
    ledger = Ledger(tmp_path)
    wanted = {"key1", "key3"}
    assert ledger.compact(lambda key, _: key in wanted) == 2
    assert Ledger(tmp_path).items() == {"key1": "1", "key3": "3"}
    assert len(list(tmp_path.glob("*.tsv"))) == 1
    assert Ledger(tmp_path).compact(lambda key, _: key in wanted) == 0
    assert Ledger(tmp_path).items() == {"key1": "1", "key3": "3"}


def test_compacting_loses_nothing_that_another_writer_adds_meanwhile(tmp_path):
    with Ledger(tmp_path) as first:
        first.put("key1", "1")
    compacting = Ledger(tmp_path)
    compacting.items()
    with Ledger(tmp_path) as other:
        other.put("key2", "2")
    compacting.compact(lambda *_: True)
    assert Ledger(tmp_path).items() == {"key1": "1", "key2": "2"}
