import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from candor.tables.base import TableError
from candor.tables.packing import PackReader, PackWriter
from candor.tables.precisions import PRECISIONS, decode, encode

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
tensors = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6), elements=finite
)


def updates(number, shape=(128, 96)):
    """Updates as they are: most numbers small, some large, each tensor in a range of its own."""
    rng = np.random.default_rng(number)
    ranges = 10.0 ** rng.uniform(-6, 0, number)
    return [(rng.standard_t(3, shape) * own).astype(np.float32) for own in ranges]


def coded(values, precision):
    encoded = encode(values, precision)
    return decode(encoded.data.tobytes(), encoded.precision, encoded.scale, values.shape)


def there_and_back(folder, values, precision):
    with PackWriter(folder / "x.pack", precision) as pack:
        block = pack.append(values)
    return PackReader(folder / "x.pack").read(block)


@given(values=tensors)
def test_float32_comes_back_bit_by_bit(values):
    back = coded(values, "float32")
    assert back.dtype == np.float32
    assert back.shape == values.shape
    assert back.tobytes() == values.tobytes()


@given(values=tensors, precision=st.sampled_from(["float16", "int8"]))
def test_fewer_bits_lose_no_more_than_is_said(values, precision):
    back = coded(values, precision)
    assert back.dtype == np.float32
    assert back.shape == values.shape
    if not values.size:
        return
    exact, largest = values.astype(np.float64), float(np.abs(values).max())
    lost = np.abs(back.astype(np.float64) - exact)
    least = 1.5e-45  # the smallest number there is: what is smaller cannot be told by anyone
    if precision == "float16":
        assert (lost <= np.maximum(np.abs(exact) / 2000, largest / 30e6) + least).all()
    else:
        assert (lost <= largest / 253 + least).all()
    assert np.abs(back).max() == largest
    assert (back[values == 0] == 0).all()


@given(values=tensors)
def test_four_bits_lose_no_more_than_is_said_and_keep_the_largest_of_each_block(values):
    back = coded(values, "int4")
    assert back.dtype == np.float32
    assert back.shape == values.shape
    blocks = range(0, values.size, 64)
    for exact, found in ((values.reshape(-1)[at : at + 64], back.reshape(-1)[at : at + 64]) for at in blocks):
        largest = float(np.abs(exact).max())
        lost = np.abs(found.astype(np.float64) - exact)
        assert (lost <= largest / 13.9 + 1.5e-45).all()
        assert np.array_equal(found[np.abs(exact) == largest], exact[np.abs(exact) == largest])
        assert (found[exact == 0] == 0).all()


def test_int4_rounds_to_the_nearest_step_of_its_own_block(tmp_path):
    small, large = [7, 1.4, 1.6, -1.4, -1.6, 0, -7], [7000, 499, 501]
    values = np.zeros(64 + 3, np.float32)
    values[: len(small)], values[64:] = small, large
    back = there_and_back(tmp_path, values, "int4")
    assert back[: len(small)] == pytest.approx([7, 1, 2, -1, -2, 0, -7])
    assert back[64:] == pytest.approx([7000, 0, 1000])


def test_int4_of_a_wrong_length_is_refused():
    encoded = encode(np.ones(65, np.float32), "int4")
    for data in (encoded.data.tobytes()[:-1], encoded.data.tobytes() + b"1"):
        with pytest.raises(ValueError, match=r"65 numbers in four bits take 41 bytes, not 4[02]"):
            decode(data, "int4", None, (65,))


def test_int8_rounds_to_the_nearest_step(tmp_path):
    values = np.array([127, 1.4, 1.6, -1.4, -1.6, 0, -127], np.float32)
    assert there_and_back(tmp_path, values, "int8") == pytest.approx([127, 1, 2, -1, -2, 0, -127])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_whole_numbers_stay_as_they_are(tmp_path, precision):
    counter = np.array(2**53 + 1)
    back = there_and_back(tmp_path, counter, precision)
    assert (back, back.dtype, back.shape) == (counter, np.int64, ())


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_client_that_learned_nothing_sends_zeros(tmp_path, precision):
    assert (there_and_back(tmp_path, np.zeros((3, 4), np.float32), precision) == np.zeros((3, 4))).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_never_kept(tmp_path, precision, wrong):
    good = updates(1)[0]
    with PackWriter(tmp_path / "x.pack", precision) as pack:
        pack.append(good)
        bad = good.copy()
        bad[5, 7] = wrong
        size = pack.size
        with pytest.raises(TableError, match="not finite"):
            pack.append(bad)
        assert pack.size == size
        block = pack.append(good)
    assert PackReader(tmp_path / "x.pack").read(block).shape == good.shape


def test_numbers_that_would_lose_digits_unasked_are_refused(tmp_path):
    with PackWriter(tmp_path / "x.pack", "float32") as pack, pytest.raises(TypeError, match="float64"):
        pack.append(np.ones(3))


def test_a_mistyped_precision_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'bfloat16' is none of float32, float16, int8, int4"):
        PackWriter(tmp_path / "x.pack", "bfloat16")


@pytest.mark.parametrize("seen", [lambda values: values.T, lambda values: values[::2, 3:], lambda values: values[7]])
def test_it_does_not_matter_how_a_tensor_lies_in_memory(tmp_path, seen):
    values = seen(updates(1)[0])
    assert np.array_equal(there_and_back(tmp_path, values, "float32"), values)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (4, 1, 3, 3)])
def test_tensors_of_any_shape_are_kept(tmp_path, precision, shape):
    values = np.full(shape, 0.5, np.float32)
    assert np.array_equal(there_and_back(tmp_path, values, precision), values)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("done", [0, 1, 5])
def test_a_killed_job_goes_on_to_the_same_bytes(tmp_path, precision, done):
    sent = updates(8)
    with PackWriter(tmp_path / "whole.pack", precision) as pack:
        blocks = [pack.append(values) for values in sent]
    script = (
        "import os, sys\nimport numpy as np\nfrom candor.tables.packing import PackWriter\n"
        "pack = PackWriter(sys.argv[1], sys.argv[2])\n"
        "sent, done = np.load(sys.argv[3]), int(sys.argv[4])\n"
        "for values in sent[:done]:\n    pack.append(values)\n"
        "pack.flush()\nprint(pack.size)\n"
        "for values in sent[done : done + 2]:\n    pack.append(values)\n"
        "sys.stdout.flush()\nos._exit(9)\n"
    )
    np.save(tmp_path / "sent.npy", np.stack(sent))
    arguments = [str(tmp_path / "killed.pack"), precision, str(tmp_path / "sent.npy"), str(done)]
    killed = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert killed.returncode == 9, killed.stderr
    with (tmp_path / "killed.pack").open("ab") as handle:
        handle.write(b"half a bl")
    with PackWriter(tmp_path / "killed.pack", precision, size=int(killed.stdout)) as pack:
        assert [pack.append(values) for values in sent[done:]] == blocks[done:]
    assert (tmp_path / "killed.pack").read_bytes() == (tmp_path / "whole.pack").read_bytes()


def test_a_pack_that_has_lost_its_end_is_not_gone_on_from(tmp_path):
    with PackWriter(tmp_path / "x.pack", "float16") as pack:
        pack.append(updates(1)[0])
    os.truncate(tmp_path / "x.pack", 10)
    with pytest.raises(TableError, match=f"has 10 bytes, but {pack.size} are to be gone on from"):
        PackWriter(tmp_path / "x.pack", "float16", size=pack.size)
    assert (tmp_path / "x.pack").stat().st_size == 10


def test_damage_to_a_block_is_told_and_spares_the_others(tmp_path):
    sent = updates(3)
    with PackWriter(tmp_path / "x.pack", "float32") as pack:
        blocks = [pack.append(values) for values in sent]
    data = bytearray((tmp_path / "x.pack").read_bytes())
    data[blocks[1].offset + blocks[1].size // 2] ^= 1
    (tmp_path / "x.pack").write_bytes(data)
    reader = PackReader(tmp_path / "x.pack")
    with pytest.raises(TableError, match=f"x.pack is damaged, in the block at byte {blocks[1].offset}"):
        reader.read(blocks[1])
    for place in (0, 2):
        assert np.array_equal(reader.read(blocks[place]), sent[place])


def test_a_block_behind_the_end_is_told(tmp_path):
    with PackWriter(tmp_path / "x.pack", "float32") as pack:
        blocks = [pack.append(values) for values in updates(2)]
    os.truncate(tmp_path / "x.pack", blocks[1].offset + 1)
    with pytest.raises(TableError, match="damaged"):
        PackReader(tmp_path / "x.pack").read(blocks[1])
    os.truncate(tmp_path / "x.pack", 0)
    with pytest.raises(TableError, match="damaged"):
        PackReader(tmp_path / "x.pack").read(blocks[0])


def test_a_block_is_read_without_the_rest_of_the_file(tmp_path):
    values = updates(1)[0]
    with PackWriter(tmp_path / "x.pack", "float32") as pack:
        block = pack.append(values)
    os.truncate(tmp_path / "x.pack", 2**40)  # a terabyte, none of which takes room on the disk
    assert np.array_equal(PackReader(tmp_path / "x.pack").read(block), values)


def test_memory_behind_what_was_read_is_let_go(tmp_path, monkeypatch):
    with PackWriter(tmp_path / "x.pack", "float32") as pack:
        blocks = [pack.append(values) for values in updates(40, (512, 256))]
    monkeypatch.setattr("candor.tables.packing.RELEASE", 2 * 2**20)
    reader = PackReader(tmp_path / "x.pack")
    for block in blocks:
        reader.read(block)
    assert resident(tmp_path / "x.pack") < 4 * 2**20 < pack.size / 3


def resident(path):
    """Return how much of a mapped file is in memory, as the system tells it."""
    mapped, found = False, 0
    try:
        lines = Path("/proc/self/smaps").read_text().splitlines()
    except OSError:
        pytest.skip("this system does not tell")
    for line in lines:
        if line[0] in "0123456789abcdef" and "-" in line.split()[0]:
            mapped = line.endswith(str(path))
        elif mapped and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.parametrize(("precision", "most"), [("float32", 0.95), ("float16", 0.48), ("int8", 0.25), ("int4", 0.136)])
def test_packs_are_smaller_than_their_numbers(tmp_path, precision, most):
    sent = [
        np.float32(1e-3) * np.random.default_rng(place).normal(size=(256, 512)).astype(np.float32) for place in range(4)
    ]
    with PackWriter(tmp_path / "x.pack", precision) as pack:
        for values in sent:
            pack.append(values)
    assert pack.size < most * sum(values.nbytes for values in sent)
