"""Put the gaps of all backbones and recipes of a dataset into one table and one figure."""

from candor.fairness.figures import systems_figure
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.fairness import FairnessSummary, Gaps
from candor.tables.side_by_side import side_by_side


def main(smk) -> None:
    start_logging(smk.log[0])
    dataset = smk.wildcards.dataset
    found = [Gaps.read(file) for file in smk.input.gaps]
    FairnessSummary.write(side_by_side(dataset, smk.params.systems, found), smk.output.summary)
    save_in_print(systems_figure(FairnessSummary.read(smk.output.summary), dataset), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
