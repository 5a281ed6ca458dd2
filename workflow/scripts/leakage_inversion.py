"""Invert gradients of a run: reconstruct the embeddings that clients hold, and tell how near they come."""

from candor.figures import save_in_print
from candor.leakage.figures import titled
from candor.leakage.inversion import Inversion
from candor.leakage.inversion_figure import inversion_figure
from candor.leakage.inverting import InversionJob
from candor.made_of import made_of, named
from candor.memory import keep_freed_memory
from candor.runtime import start_logging, use_threads
from candor.tables.base import write_json
from candor.tables.leakage import Inversions


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, 1)
    keep_freed_memory()
    job, out = InversionJob.of(smk.input, smk.params), smk.output
    Inversions.write(job.run(), out.inversions)
    title = titled(smk.wildcards, [fold.history.facts for fold in job.folds])
    save_in_print(inversion_figure(Inversions.read(out.inversions), title), out.figure)
    write_json(made_of(named(smk.input), number=smk.params.number, **vars(Inversion())), out.made_of)
    job.unfinished.remove()


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
