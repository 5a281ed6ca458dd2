"""Put the attacks on all backbones and recipes of a dataset into one table and one figure."""

from candor.attack.figures import systems_figure
from candor.attack.overview import all_systems, headline_title
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.attack import AttackResult, AttackSummary


def main(smk) -> None:
    start_logging(smk.log[0])
    found = [AttackResult.read(file) for file in smk.input.summaries]
    AttackSummary.write(all_systems(smk.wildcards.dataset, smk.params.systems, found), smk.output.summary)
    rows = AttackSummary.read(smk.output.summary)
    save_in_print(systems_figure(rows[rows["headline"] == "yes"], headline_title(rows)), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
