"""Audit how differently models that foretell a rating serve groups of speakers; write tables and figures."""

import pandas as pd

from candor.fairness.audit import audit_ratings
from candor.fairness.figures import gaps_figure, speakers_figure
from candor.fairness.groups import Asked, genders_of
from candor.figures import save_in_print
from candor.made_of import made_of
from candor.runtime import start_logging
from candor.tables.base import write_json
from candor.tables.corpora import Utterances
from candor.tables.fairness import FoldGaps, Gaps, Groups
from candor.tables.models import RatingPredictions


def main(smk) -> None:
    start_logging(smk.log[0])
    run, out = smk.wildcards, smk.output
    predictions = pd.concat([RatingPredictions.read(file) for file in smk.input.predictions])
    audit = audit_ratings(predictions, Utterances.read(smk.input.utterances), Asked(**smk.params.asked))
    Gaps.write(audit.gaps, out.gaps)
    Groups.write(audit.groups, out.groups)
    FoldGaps.write(audit.folds, out.folds)
    title = f"{run.dataset}: {run.backbone}, {run.recipe}"
    save_in_print(gaps_figure(Gaps.read(out.gaps), title), out.gaps_figure)
    save_in_print(speakers_figure(audit, Groups.read(out.groups), genders_of(predictions), title), out.speakers_figure)
    files = {file.split("/")[-2]: file for file in smk.input.predictions} | {"utterances": smk.input.utterances}
    write_json(made_of(files, run=dict(run), asked=smk.params.asked), out.audited)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
