"""Train a recipe on the hidden states of every frame of one fold, once per seed."""

import json
from pathlib import Path

from candor.memory import keep_freed_memory
from candor.models.job import FoldJob
from candor.models.prepare_frames import from_frames
from candor.models.recipe import Recipe
from candor.runtime import start_logging, use_device, use_threads
from candor.store.objects import Store
from candor.tables.features import FeatureIndex, FrameIndex
from candor.tables.splits import FoldTable


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads)
    keep_freed_memory()
    fold, recipe = FoldTable.read(smk.input.fold), smk.params.recipe
    frames, pooled = FrameIndex.read(smk.input.frames), FeatureIndex.read(smk.input.features)
    prepared = from_frames(fold, frames, pooled, Store(smk.params.store), Recipe.of(recipe))
    source = json.loads(Path(smk.input.identity).read_text(encoding="utf-8"))
    inputs, device = dict(smk.input), use_device(smk.resources.device)
    job = FoldJob(dict(smk.wildcards), smk.params.pred, recipe, source, inputs, Path(smk.params.aside), device)
    job.train_and_write(fold, prepared, smk.output)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
