"""Train a recipe that tunes the backbone on one fold, once per seed."""

from pathlib import Path

from candor.features.job import Job, load_backbone
from candor.memory import keep_freed_memory
from candor.models.job import FoldJob
from candor.models.prepare_audio import from_audio
from candor.models.recipe import Recipe
from candor.runtime import BACKBONE_THREADS, start_logging, use_threads
from candor.tables.audio import AudioIndex
from candor.tables.splits import FoldTable


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, BACKBONE_THREADS)
    keep_freed_memory()
    fold, recipe = FoldTable.read(smk.input.fold), smk.params.recipe
    source = Job.of(smk.wildcards.backbone, smk.input.weights, smk.params, smk.resources)
    backbone, way = load_backbone(source)
    prepared = from_audio(fold, AudioIndex.read(smk.input.audio), backbone, Recipe.of(recipe), source, way)
    inputs = dict(smk.input)
    described = source.identified()
    job = FoldJob(dict(smk.wildcards), smk.params.pred, recipe, described, inputs, Path(smk.params.aside), way.device)
    job.train_and_write(fold, prepared, smk.output)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
