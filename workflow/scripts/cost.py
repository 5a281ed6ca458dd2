"""Count the parameters of a system and its operations over the length of an utterance."""

from candor.cost.system import Counted, load_system, used_samples
from candor.made_of import made_of
from candor.runtime import start_logging, use_threads
from candor.tables.audio import AudioIndex
from candor.tables.base import write_json
from candor.tables.cost import CostLengths, SystemCost


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads)
    run = dict(smk.wildcards)
    samples = used_samples(AudioIndex.read(smk.input.audio)["samples"].tolist(), smk.params.seconds)
    system = load_system(smk.input.head, smk.input.get("weights"))
    counted = Counted.of(system, samples, f"{run['backbone']}, {run['recipe']}")
    SystemCost.write([{**run, **counted.row()}], smk.output.cost)
    CostLengths.write(counted.lengths(), smk.output.lengths)
    write_json(made_of(dict(smk.input), run=run, seconds=smk.params.seconds), smk.output.made_of)
    if smk.output.get("trust_ser"):
        write_json(counted.as_trust_ser(), smk.output.trust_ser)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
