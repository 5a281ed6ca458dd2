"""Disturb test utterances in many ways, and write what the models of all folds say of them."""

from candor.made_of import made_of, named
from candor.memory import keep_freed_memory
from candor.robustness.job import RobustnessJob
from candor.runtime import start_logging, use_threads
from candor.tables.base import write_json
from candor.tables.robustness import disturbed_table


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    keep_freed_memory()
    job = RobustnessJob.of(dict(smk.wildcards), smk.input, smk.params, smk.resources)
    disturbed_table(smk.params.pred).write(job.run(), smk.output.disturbed)
    facts = {name: smk.params[name] for name in ("tests", "utterances", "seeds", "seconds")}
    write_json(made_of(named(smk.input), run=dict(smk.wildcards), **facts), smk.output.made_of)
    job.unfinished.remove()


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
