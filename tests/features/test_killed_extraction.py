"""An extraction that is killed goes on, and ends with the same bytes as one that never was."""

from pathlib import Path

import pytest

from killing import run, run_and_kill

PROGRAM = """
import sys, time
from pathlib import Path
import numpy as np
from candor.audio.conversion import encode
from candor.backbones.families import fbank
from candor.features import packs
from candor.features.clips import Clip
from candor.features.extraction import Extraction, Way, identity
from candor.store.objects import Store
from candor.tables.features import FeatureIndex, FrameIndex

packs.POOLED_PACK = 3


class Slow(fbank.FilterBank):
    def forward(self, waveforms, lengths):
        time.sleep(0.05)
        return super().forward(waveforms, lengths)


root = Path(sys.argv[1])
store = Store(root / "store")
generator = np.random.default_rng(0)
clips = []
for number in range(40):
    samples = (0.1 * generator.standard_normal(4000 + 50 * number)).astype(np.float32)
    clips.append(Clip(f"u{number}", store.put(encode(samples), ".wav"), len(samples)))
extraction = Extraction(clips, identity("fbank", 1, {"mel_bins": 24}, None, "float32"), store, frames=True)
extraction.run(Slow(24), Way(batch_seconds=0.6), "slow")
FeatureIndex.write(extraction.pooled_rows(), root / "index.tsv")
FrameIndex.write(extraction.frame_rows(), root / "frames.tsv")
"""


def arrays(root: Path) -> dict[str, bytes]:
    kept = {path.name: path.read_bytes() for path in (root / "store" / "objects").rglob("*.npy")}
    return {**kept, **{name: (root / name).read_bytes() for name in ("index.tsv", "frames.tsv")}}


@pytest.mark.slow
def test_a_killed_extraction_ends_with_the_same_bytes(tmp_path):
    program = tmp_path / "extract.py"
    program.write_text(PROGRAM)
    run(program, tmp_path / "undisturbed")
    killed = tmp_path / "killed"
    for packs in (2, 6):
        run_and_kill(program, killed, when=lambda n=packs: len([*killed.glob("store/objects/*/*.npy")]) >= n)
        assert not (killed / "index.tsv").exists()
    run(program, killed)
    assert arrays(killed) == arrays(tmp_path / "undisturbed")
