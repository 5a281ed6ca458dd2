"""Attack the updates of a run: read people's attributes off what their clients sent."""

import logging

from candor.figures import save_in_print
from candor.leakage.figures import layers_figure, rounds_figure, titled
from candor.leakage.job import AttacksJob
from candor.made_of import made_of, named
from candor.memory import most_memory
from candor.runtime import start_logging, use_threads
from candor.tables.base import write_json
from candor.tables.leakage import LeakageAttacks, LeakageRounds, LeakageScores


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    job = AttacksJob.of(smk.input, smk.params, smk.resources)
    found, out = job.run(), smk.output
    LeakageAttacks.write(found.attacks, out.attacks)
    LeakageRounds.write(found.rounds, out.rounds)
    LeakageScores.write(found.scores, out.scores)
    title = titled(smk.wildcards, [victims.history.facts for victims in job.victims])
    save_in_print(layers_figure(LeakageAttacks.read(out.attacks), title), out.layers)
    save_in_print(rounds_figure(LeakageRounds.read(out.rounds), title), out.by_round)
    write_json(made_of(named(smk.input), **job.facts()), out.made_of)
    job.unfinished.remove()
    logging.getLogger(__name__).info("at most %.2f GB of memory", most_memory() / 1e9)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
