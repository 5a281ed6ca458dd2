"""Make the demo corpus, or the speakers without labels that go with it; write the list of its files."""

from pathlib import Path

from candor.corpora.synthesis import synthesise, synthesise_unlabelled
from candor.runtime import start_logging
from candor.tables.base import atomic


def main(smk) -> None:
    start_logging(smk.log[0])
    make = synthesise if smk.params.labelled else synthesise_unlabelled
    files = make(Path(smk.params.raw), workers=smk.threads, mark=smk.params.code)
    with atomic(smk.output.listing) as handle:
        handle.writelines(f"{file}\n" for file in files)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
