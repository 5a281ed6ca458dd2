"""Attack the layers of a backbone: read gender and speaker off their hidden states."""

from candor.made_of import made_of, named
from candor.memory import keep_freed_memory
from candor.privacy.job import LayersJob
from candor.runtime import start_logging, use_threads
from candor.tables.base import write_json
from candor.tables.privacy import PrivacyLayers


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    keep_freed_memory()
    job = LayersJob.of(smk.input, smk.params, smk.resources)
    PrivacyLayers.write(job.run(), smk.output.layers)
    write_json(made_of(named(smk.input), run=dict(smk.wildcards), settings=smk.params.settings), smk.output.made_of)
    job.unfinished.remove()


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
