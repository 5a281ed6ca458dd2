"""Attack trained models: read gender and speaker off their embedding, note what they lose on whom."""

from candor.made_of import made_of, named
from candor.memory import keep_freed_memory
from candor.privacy.job import ModelsJob
from candor.runtime import start_logging, use_threads
from candor.tables.base import write_json
from candor.tables.privacy import MemberLosses, PrivacyEmbedding


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    keep_freed_memory()
    job = ModelsJob.of(smk.input, smk.params, smk.resources)
    embedding, losses = job.run()
    PrivacyEmbedding.write(embedding, smk.output.embedding)
    MemberLosses.write(losses, smk.output.losses)
    facts = {name: smk.params[name] for name in ("settings", "seeds", "reads")}
    write_json(made_of(named(smk.input), run=dict(smk.wildcards), **facts), smk.output.made_of)
    job.unfinished.remove()


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
