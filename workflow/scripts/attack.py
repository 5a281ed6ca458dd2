"""Attack the models of all folds with their test utterances; write what they say of them."""

from candor.attack.job import AttackJob
from candor.made_of import made_of, named
from candor.memory import keep_freed_memory
from candor.runtime import start_logging, use_threads
from candor.tables.attack import Attacked
from candor.tables.base import write_json


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    keep_freed_memory()
    job = AttackJob.of(dict(smk.wildcards), smk.input, smk.params, smk.resources)
    Attacked.write(job.run(), smk.output.attacked)
    facts = {name: smk.params[name] for name in ("settings", "seeds", "seconds", "own_gradient", "surrogate")}
    write_json(made_of(named(smk.input), run=dict(smk.wildcards), **facts), smk.output.made_of)
    job.unfinished.remove()


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
