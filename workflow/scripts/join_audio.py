"""Show the converted audio of joined datasets in one folder; write its index."""

from pathlib import Path

from candor.audio.joining import show_joined
from candor.runtime import start_logging
from candor.store.objects import Store
from candor.store.upkeep import register
from candor.tables.audio import AudioIndex
from candor.tables.corpora import Utterances


def main(smk) -> None:
    start_logging(smk.log[0])
    store = Store(smk.params.store)
    register(store, Path(smk.params.project))
    utterances = Utterances.read(smk.input.utterances)["utterance"]
    parts = {name: AudioIndex.read(file) for name, file in zip(smk.params.parts, smk.input.audio, strict=True)}
    rows = show_joined(utterances, parts, Path(smk.output.index).parent, store)
    AudioIndex.write(rows, smk.output.index)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
