"""Put the attacks on all runs of a dataset side by side, also in fed-ser-leakage's arrangement."""

import json
from pathlib import Path

from candor.figures import save_in_print
from candor.leakage import published
from candor.leakage.overview import Audited, summary
from candor.leakage.tradeoff import published_figure, tradeoff_figure
from candor.runtime import start_logging
from candor.tables.base import atomic
from candor.tables.federated import FederatedRunSummary
from candor.tables.leakage import (
    LeakageAttacks,
    LeakageSummary,
    PublishedDefences,
    PublishedLayers,
    PublishedRecognition,
)


def main(smk) -> None:
    start_logging(smk.log[0])
    files, out = smk.input, smk.output
    facts = [json.loads(Path(file).read_text(encoding="utf-8")) for file in files.made_of]
    recognition = map(FederatedRunSummary.read, files.recognition)
    attacks = map(LeakageAttacks.read, files.attacks)
    LeakageSummary.write(summary(list(map(Audited, smk.params.runs, facts, recognition, attacks))), out.summary)
    rows = LeakageSummary.read(out.summary)
    PublishedRecognition.write(published.recognition(rows), out.recognition)
    PublishedLayers.write(published.layers(rows), out.layers)
    PublishedDefences.write(published.defences(rows), out.defences)
    sheets = published.sheets(rows)
    labels = [f"tab:leakage-{name}-{smk.wildcards.dataset}" for name, _ in sheets]
    with atomic(out.latex) as handle:
        handle.write("\n".join(sheet.latex(label) for label, (_, sheet) in zip(labels, sheets, strict=True)))
    with atomic(out.markdown) as handle:
        handle.write("\n".join(sheet.markdown() for _, sheet in sheets))
    save_in_print(tradeoff_figure(rows), out.tradeoff)
    save_in_print(published_figure(rows), out.published)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
