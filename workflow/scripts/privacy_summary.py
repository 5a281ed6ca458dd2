"""Put all that is read off a backbone with a recipe into one table, and draw it."""

import pandas as pd

from candor.figures import save_in_print
from candor.performance.interpretable import interpretable
from candor.privacy.figures import leaks_figure, membership_figure
from candor.privacy.membership import contests_of, curve_rows, membership_rows
from candor.privacy.overview import of_one_system
from candor.runtime import start_logging
from candor.tables.models import predictions_table
from candor.tables.privacy import MemberLosses, MembershipCurve, PrivacyEmbedding, PrivacyLayers, PrivacyResult


def main(smk) -> None:
    start_logging(smk.log[0])
    run, params, out = smk.wildcards, smk.params, smk.output
    layers = PrivacyLayers.read(smk.input.layers) if smk.input.get("layers") else None
    embedding, losses = PrivacyEmbedding.read(smk.input.embedding), MemberLosses.read(smk.input.losses)
    table = predictions_table(params.pred)
    predictions = pd.concat([table.read(file) for file in smk.input.predictions], ignore_index=True)
    members = contests_of(losses)
    membership = membership_rows(*members) if len(losses) else []
    asked = (params.attributes, params.attackers, interpretable(predictions))
    PrivacyResult.write(of_one_system(layers, params.no_layers, embedding, membership, *asked), out.summary)
    rows, title = PrivacyResult.read(out.summary), f"{run.dataset}: {run.backbone}, {run.recipe}"
    if out.get("leaks"):
        save_in_print(leaks_figure(rows, title), out.leaks)
    if out.get("membership"):
        MembershipCurve.write(list(curve_rows(*members)), out.roc)
        save_in_print(membership_figure(MembershipCurve.read(out.roc), rows, title), out.membership)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
