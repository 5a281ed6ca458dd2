"""Run a backbone on the audio of a dataset; write the index of its pooled hidden states."""

from pathlib import Path

from candor.backbones.interface import load_family
from candor.features.extraction import extract, identity
from candor.made_of import made_of
from candor.runtime import start_logging, use_threads
from candor.store.objects import Store
from candor.store.upkeep import register
from candor.tables.audio import AudioIndex
from candor.tables.base import write_json
from candor.tables.features import FeatureIndex


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads)
    store = Store(smk.params.store)
    register(store, Path(smk.params.project))
    family = load_family(smk.params.family)
    audio = AudioIndex.read(smk.input.audio)[["utterance", "member"]]
    clips = list(audio.itertuples(index=False, name=None))
    identified = identity(smk.params.family, family, smk.params.options)
    write_json(made_of(**identified), smk.output.identity)
    FeatureIndex.write(extract(clips, family.load(smk.params.options), identified, store), smk.output.index)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
