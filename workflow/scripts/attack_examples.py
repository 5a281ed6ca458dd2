"""Make a few attacked clips to listen to: as recorded, attacked, and the perturbation alone, with a picture of each."""

from candor.attack.evaluate import Fooled, headline
from candor.attack.examples import as_wav, choose, craft_examples, example_figure, example_rows
from candor.attack.job import AttackJob
from candor.figures import save_in_print
from candor.runtime import start_logging, use_threads
from candor.tables.attack import VERSIONS, Attacked, AttackExamples
from candor.tables.base import atomic


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    run, (method, _), snr = smk.wildcards, smk.params.called, headline(smk.params.settings["snrs"])
    job = AttackJob.of(dict(run), smk.input, smk.params, smk.resources)
    chosen = choose(Fooled(Attacked.read(smk.input.attacked)), method, snr, smk.params.number)
    examples, clips = craft_examples(job, chosen, method, snr), iter(smk.output.audio)
    for example, figure in zip(examples, smk.output.figures, strict=True):
        for version in VERSIONS:
            with atomic(next(clips), "wb") as handle:
                handle.write(as_wav(example.samples(version)))
        title = f"{run.dataset}: {run.backbone}, {run.recipe}, {example.utterance}, {example.label}"
        save_in_print(example_figure(example, title), figure)
    AttackExamples.write(example_rows(examples), smk.output.examples)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
