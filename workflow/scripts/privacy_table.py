"""Put what is read off all backbones and recipes of a dataset into one table and one figure."""

from candor.figures import save_in_print
from candor.privacy.figures import systems_figure
from candor.runtime import start_logging
from candor.tables.privacy import PrivacyResult, PrivacySummary
from candor.tables.side_by_side import side_by_side


def main(smk) -> None:
    start_logging(smk.log[0])
    found = [PrivacyResult.read(file) for file in smk.input.summaries]
    PrivacySummary.write(side_by_side(smk.wildcards.dataset, smk.params.systems, found), smk.output.summary)
    rows = PrivacySummary.read(smk.output.summary)
    save_in_print(systems_figure(rows, smk.wildcards.dataset), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
