"""Join the manifests of several datasets for evaluation across corpora."""

from candor.corpora.joining import Part, join
from candor.made_of import made_of
from candor.runtime import start_logging
from candor.tables.base import write_json
from candor.tables.corpora import Counts, Rejected, Utterances


def main(smk) -> None:
    start_logging(smk.log[0])
    files = list(zip(smk.params.parts, smk.input.utterances, strict=True))
    parts = [Part(**part, utterances=Utterances.read(file)) for part, file in files]
    joined = join(parts, dataset=smk.wildcards.dataset, classes=smk.params.classes)
    choices = {"dataset": smk.wildcards.dataset, "classes": smk.params.classes, "parts": smk.params.parts}
    write_json(made_of({part["name"]: file for part, file in files}, choices=choices), smk.output.choices)
    Utterances.write(joined.utterances, smk.output.utterances)
    Rejected.write(joined.rejected, smk.output.rejected)
    Counts.write(joined.counts, smk.output.counts)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
