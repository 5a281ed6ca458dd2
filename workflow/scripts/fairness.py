"""Audit how differently models that tell emotions serve groups of speakers; write tables and figures."""

import pandas as pd

from candor.fairness.audit import audit_classes
from candor.fairness.figures import gaps_figure, groups_figure, speakers_figure
from candor.fairness.groups import Asked, genders_of
from candor.fairness.parity import trust_ser_figures
from candor.figures import save_in_print
from candor.made_of import made_of
from candor.runtime import start_logging
from candor.tables.base import write_json
from candor.tables.corpora import Utterances
from candor.tables.fairness import FoldGaps, Gaps, GroupConfusions, GroupRecalls, Groups
from candor.tables.models import Predictions


def main(smk) -> None:
    start_logging(smk.log[0])
    run, out = smk.wildcards, smk.output
    predictions = pd.concat([Predictions.read(file) for file in smk.input.predictions])
    classes, asked = Predictions.classes(predictions), Asked(**smk.params.asked)
    audit = audit_classes(predictions, classes, Utterances.read(smk.input.utterances), asked)
    Gaps.write(audit.gaps, out.gaps)
    Groups.write(audit.groups, out.groups)
    GroupRecalls.write(audit.recalls, out.recalls)
    GroupConfusions.write(audit.confusions, out.confusion)
    FoldGaps.write(audit.folds, out.folds)
    title = f"{run.dataset}: {run.backbone}, {run.recipe}"
    save_in_print(gaps_figure(Gaps.read(out.gaps), title), out.gaps_figure)
    save_in_print(speakers_figure(audit, Groups.read(out.groups), genders_of(predictions), title), out.speakers_figure)
    save_in_print(groups_figure(audit, title), out.groups_figure)
    if out.get("trust_ser"):
        write_json(trust_ser_figures(predictions, classes), out.trust_ser)
    files = {file.split("/")[-2]: file for file in smk.input.predictions} | {"utterances": smk.input.utterances}
    write_json(made_of(files, run=dict(run), asked=smk.params.asked), out.audited)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
