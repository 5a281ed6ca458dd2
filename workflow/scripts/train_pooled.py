"""Train a recipe on the pooled hidden states of one fold, once per seed."""

import json
from pathlib import Path

from candor.models.job import FoldJob
from candor.models.prepare_pooled import from_pooled
from candor.models.recipe import Recipe
from candor.runtime import start_logging, use_threads
from candor.store.objects import Store
from candor.tables.features import FeatureIndex
from candor.tables.splits import FoldTable


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads)
    fold, recipe = FoldTable.read(smk.input.fold), smk.params.recipe
    pooled = FeatureIndex.read(smk.input.features)
    prepared = from_pooled(fold, pooled, Store(smk.params.store), Recipe.of(recipe))
    source = json.loads(Path(smk.input.identity).read_text(encoding="utf-8"))
    inputs = dict(smk.input)
    job = FoldJob(dict(smk.wildcards), smk.params.pred, recipe, source, inputs, Path(smk.params.aside))
    job.train_and_write(fold, prepared, smk.output)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
