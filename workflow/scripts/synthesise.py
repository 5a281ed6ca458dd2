"""Make the demo corpus; write the list of its files."""

from pathlib import Path

from candor.corpora.synthesis import synthesise
from candor.runtime import start_logging
from candor.tables.base import atomic


def main(smk) -> None:
    start_logging(smk.log[0])
    files = synthesise(Path(smk.params.raw), workers=smk.threads, mark=smk.params.code)
    with atomic(smk.output.listing) as handle:
        handle.writelines(f"{file}\n" for file in files)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
