"""Split a dataset into folds; write them as tables, as JSON lists and at a glance."""

import logging

from candor.runtime import start_logging
from candor.splits.folds import SplitError
from candor.splits.joined import joined
from candor.splits.schemes import make_folds
from candor.splits.tabulate import fold_rows, overview_rows, trust_ser_lists
from candor.tables.base import write_json
from candor.tables.corpora import Utterances
from candor.tables.splits import FoldTable, SplitOverview


def main(smk) -> None:
    start_logging(smk.log[0])
    dataset, options, raw = smk.wildcards.dataset, smk.params.options, smk.params.raw
    utterances = Utterances.read(smk.input.utterances)
    try:
        if options["scheme"] == "joined":
            folds = joined(utterances, options["seed"], options["dyads"])
        else:
            folds = make_folds(utterances, **options)
    except SplitError as error:
        raise error.of(dataset) from None
    for fold, table, lists in zip(folds, smk.output.folds, smk.output.lists, strict=True):
        FoldTable.write(fold_rows(fold, utterances, smk.params.pred), table)
        write_json(trust_ser_lists(fold, utterances, raw), lists)
    overview = overview_rows(folds, utterances, by_text=options["scheme"] == "texts")
    for row in overview:
        if row["speakers_in_train"]:
            logging.warning("%s: fold %d, %s: %s", dataset, row["fold"], row["part"], row["warning"])
    SplitOverview.write(overview, smk.output.overview)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
