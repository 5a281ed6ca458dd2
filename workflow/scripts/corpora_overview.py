"""Draw what was read of a corpus: classes, durations, speakers, and what was left out."""

from candor.corpora.figures import overview_figure
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.corpora import Counts, Rejected, Utterances


def main(smk) -> None:
    start_logging(smk.log[0])
    figure = overview_figure(
        smk.wildcards.dataset,
        Utterances.read(smk.input.utterances),
        Rejected.read(smk.input.rejected),
        Counts.read(smk.input.counts),
    )
    save_in_print(figure, smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
