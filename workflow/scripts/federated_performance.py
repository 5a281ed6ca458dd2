"""Evaluate a federation: its test predictions of all folds, how it was trained, what its clients hold."""

import json
from pathlib import Path

import pandas as pd

from candor.federated.client_figures import clients_figure
from candor.federated.run_figures import curves_figure
from candor.federated.summary import summary_of_run
from candor.figures import save_in_print
from candor.performance.heard import speakers_heard
from candor.runtime import start_logging
from candor.tables.federated import ClientsHeld, FederatedPredictions, FederatedRunSummary, Judged, Rounds
from candor.tables.models import Predictions


def main(smk) -> None:
    start_logging(smk.log[0])
    files, out, run = smk.input, smk.output, smk.wildcards
    predictions = pd.concat([FederatedPredictions.read(file) for file in files.predictions])
    rounds, judged = [Rounds.read(file) for file in files.rounds], [Judged.read(file) for file in files.judged]
    clients = [ClientsHeld.read(file) for file in files.clients]
    facts = [json.loads(Path(file).read_text(encoding="utf-8")) for file in files.facts]
    shared = sum(own["test_speakers_among_clients"] for own in facts)
    pretrained = files.get("heard")
    heard = speakers_heard(predictions, pretrained, files.audio, files.heard_audio) if pretrained else 0
    names = {"dataset": run.dataset, "run": run.run, **smk.params.names}
    classes, defences = Predictions.classes(predictions), [own["defence"] for own in facts]
    rows = summary_of_run(names, predictions, classes, rounds, clients, defences, shared, heard)
    FederatedRunSummary.write(rows, out.summary)
    title = f"{run.dataset}: {run.run}"
    save_in_print(curves_figure(by_fold(rounds), by_fold(judged), title, smk.params.chosen_by), out.curves)
    save_in_print(clients_figure(clients[0], f"{title}, fold 1"), out.clients)


def by_fold(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table.assign(fold=fold) for fold, table in enumerate(tables, start=1)])


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
