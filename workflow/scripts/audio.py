"""Convert the audio of a dataset; write the index."""

from pathlib import Path

from candor.audio.collection import Source, collect
from candor.runtime import start_logging
from candor.store.objects import Store
from candor.store.upkeep import register
from candor.tables.audio import AudioIndex
from candor.tables.corpora import Utterances


def main(smk) -> None:
    start_logging(smk.log[0])
    store = Store(smk.params.store)
    register(store, Path(smk.params.project))
    utterances = Utterances.read(smk.input.utterances)[["utterance", "path", "audio"]]
    sources = [Source(*row) for row in utterances.itertuples(index=False, name=None)]
    folder = Path(smk.output.index).parent
    AudioIndex.write(collect(sources, Path(smk.params.raw), folder, store, smk.threads), smk.output.index)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
