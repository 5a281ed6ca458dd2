"""Train a recipe on one fold, once per seed; write predictions, history, heads and what they were made of."""

from candor.features.reading import read_pooled
from candor.models.fold import run_fold
from candor.models.saving import describe, save_head
from candor.models.training import Recipe
from candor.runtime import start_logging, use_threads
from candor.store.objects import Store
from candor.tables.base import write_json
from candor.tables.corpora import Utterances
from candor.tables.features import FeatureIndex
from candor.tables.models import History, Predictions
from candor.tables.splits import FoldTable


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads)
    options = dict(smk.params.recipe)
    seeds = options.pop("seeds")
    utterances = Utterances.read(smk.input.utterances)
    genders = dict(zip(utterances["speaker"], utterances["gender"], strict=True))
    fold = FoldTable.read(smk.input.fold)
    index = FeatureIndex.read(smk.input.features).set_index("utterance").loc[fold["utterance"]].reset_index()
    pooled = read_pooled(index, Store(smk.params.store))
    result = run_fold(int(smk.wildcards.fold), fold, genders, pooled, Recipe.of(options), seeds)
    Predictions.write(result.predictions, smk.output.predictions)
    History.write(result.history, smk.output.history)
    for seed, file in zip(seeds, smk.output.heads, strict=True):
        save_head(result.trained[seed].head, result.classes, smk.params.recipe, file)
    write_json(describe(result, smk.params.recipe, dict(smk.wildcards), dict(smk.input)), smk.output.recipe)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
