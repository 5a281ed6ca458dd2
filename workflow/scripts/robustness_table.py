"""Put the tests of all backbones and recipes of a dataset into one table and one figure."""

from candor.figures import save_in_print
from candor.robustness.figures import verdicts_figure
from candor.runtime import start_logging
from candor.tables.robustness import RobustnessResult, RobustnessSummary
from candor.tables.side_by_side import side_by_side


def main(smk) -> None:
    start_logging(smk.log[0])
    dataset = smk.wildcards.dataset
    found = [RobustnessResult.read(file) for file in smk.input.summaries]
    RobustnessSummary.write(side_by_side(dataset, smk.params.systems, found), smk.output.summary)
    save_in_print(verdicts_figure(RobustnessSummary.read(smk.output.summary), dataset), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
