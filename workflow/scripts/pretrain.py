"""Pretrain a backbone on audio without labels; write its checkpoint, how it went and whom it heard."""

import itertools
import shutil
from pathlib import Path

from candor.backbones.pretraining.listeners import clips_of, speaker_rows
from candor.backbones.pretraining.training import pretrain
from candor.backbones.weights import keep_checkpoint
from candor.runtime import start_logging, use_device, use_threads
from candor.store.objects import Store
from candor.tables.audio import AudioIndex
from candor.tables.backbones import Weights
from candor.tables.corpora import Utterances
from candor.tables.pretraining import Pretraining, PretrainingSpeakers


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads)
    files = zip(smk.params.datasets, smk.input.audio, smk.input.utterances, strict=True)
    clips = {name: clips_of(AudioIndex.read(audio), Utterances.read(rows)) for name, audio, rows in files}
    aside, store, device = Path(smk.params.aside), Store(smk.params.store), use_device(smk.resources.device)
    heard = list(itertools.chain.from_iterable(clips.values()))
    made = pretrain(heard, store, smk.params.options, aside / "state.pt", aside / "scratch", device)
    Pretraining.write(made.history, smk.output.history)
    PretrainingSpeakers.write(speaker_rows(clips, made.heard, made.held_out), smk.output.speakers)
    folder = Path(smk.output.table).parent / Weights.FOLDER
    Weights.write([keep_checkpoint(made.checkpoint, folder, "pretrained here")], smk.output.table)
    shutil.rmtree(aside)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
