"""Read the labels of a corpus, inspect its recordings, write manifest, rejects and counts."""

import logging
from pathlib import Path

from candor.corpora.inspection import Limits
from candor.corpora.manifest import TooManyRejects, build
from candor.made_of import made_of
from candor.runtime import start_logging
from candor.store.objects import Store
from candor.tables.base import write_json
from candor.tables.corpora import Counts, Rejected, Utterances


def main(smk) -> None:
    start_logging(smk.log[0])
    limits = dict(smk.params.limits)
    max_rejected = limits.pop("max_rejected")
    with Store(smk.params.store).ledger("inspection") as ledger:
        try:
            manifest = build(
                Path(smk.params.raw),
                **smk.params.choices,
                limits=Limits(**limits),
                max_rejected=max_rejected,
                workers=smk.threads,
                ledger=ledger,
            )
        except TooManyRejects as error:
            # Outputs of a failed job are removed; beside the log the list stays.
            listed = Path(smk.log[0]).with_suffix(".rejected.tsv")
            Rejected.write(error.rejected, listed)
            logging.getLogger(__name__).error("all of them are listed in %s", listed)
            raise
    choices = made_of(choices=smk.params.choices, limits=smk.params.limits, listing=smk.params.listing)
    write_json(choices, smk.output.choices)
    Utterances.write(manifest.utterances, smk.output.utterances)
    Rejected.write(manifest.rejected, smk.output.rejected)
    Counts.write(manifest.counts, smk.output.counts)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
