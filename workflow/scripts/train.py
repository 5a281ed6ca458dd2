"""Train a recipe on one fold, once per seed; write predictions, history, heads and what they were made of."""

from candor.features.reading import read_pooled
from candor.made_of import made_of
from candor.models.fold import run_fold
from candor.models.saving import save_head
from candor.models.training import Recipe
from candor.runtime import start_logging, use_threads
from candor.store.objects import Store
from candor.tables.base import write_json
from candor.tables.features import FeatureIndex
from candor.tables.models import History, Predictions
from candor.tables.splits import FoldTable


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads)
    recipe = smk.params.recipe
    fold = FoldTable.read(smk.input.fold)
    pooled = read_pooled(FeatureIndex.read(smk.input.features), list(fold["utterance"]), Store(smk.params.store))
    result = run_fold(int(smk.wildcards.fold), fold, pooled, Recipe.of(recipe), recipe["seeds"])
    Predictions.write(result.predictions, smk.output.predictions)
    History.write(result.history, smk.output.history)
    for seed, file in zip(recipe["seeds"], smk.output.heads, strict=True):
        save_head(result.trained[seed].head, result.classes, recipe, file)
    epochs = {str(seed): trained.epoch for seed, trained in result.trained.items()}
    facts = {"run": dict(smk.wildcards), "recipe": recipe, "classes": result.classes, "selected_epochs": epochs}
    write_json(made_of(dict(smk.input), **facts), smk.output.recipe)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
