"""Draw how a backbone was pretrained."""

from candor.backbones.pretraining.figures import loss_figure
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.pretraining import Pretraining


def main(smk) -> None:
    start_logging(smk.log[0])
    save_in_print(loss_figure(Pretraining.read(smk.input.history), smk.wildcards.backbone), smk.output.figure)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
