"""Draw how trainings went, and which layers of the backbone they listen to."""

import pandas as pd

from candor.figures import save_in_print
from candor.models.figures import curves_figure, layers_figure
from candor.runtime import start_logging
from candor.tables.models import History, LayerWeights


def main(smk) -> None:
    start_logging(smk.log[0])
    run = smk.wildcards
    title = f"{run.dataset}: {run.backbone}, {run.recipe}"
    histories, layers = (
        pd.concat([table.read(file).assign(fold=fold) for fold, file in enumerate(files, start=1)])
        for table, files in ((History, smk.input.histories), (LayerWeights, smk.input.layers))
    )
    save_in_print(curves_figure(histories, title, smk.params.score), smk.output.curves)
    save_in_print(layers_figure(layers, title), smk.output.layers)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
