"""Get the files of a backbone from where the config says; write what they are."""

from pathlib import Path

from candor.backbones.fetching import fetch
from candor.runtime import start_logging
from candor.tables.backbones import Weights


def main(smk) -> None:
    start_logging(smk.log[0])
    folder = Path(smk.output.table).parent / Weights.FOLDER
    offline = Path(smk.params.offline) if smk.params.offline else None
    Weights.write(fetch(smk.wildcards.backbone, smk.params.entry, folder, offline), smk.output.table)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
