"""Federate a model on one fold: train it round by round, test it, keep its history."""

import json
from pathlib import Path

from candor.federated.job import FederatedJob
from candor.federated.sources import sources_of
from candor.memory import keep_freed_memory
from candor.runtime import start_logging, use_device, use_threads


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    keep_freed_memory()
    sources = sources_of(int(smk.wildcards.fold), smk.input, smk.params, smk.resources)
    identity = smk.input.get("identity")
    backbone = json.loads(Path(identity).read_text(encoding="utf-8")) if identity else {}
    run, inputs, device = dict(smk.wildcards), dict(smk.input), use_device(smk.resources.device)
    options, aside = smk.params.options, Path(smk.params.aside)
    job = FederatedJob(run, options, sources, inputs, backbone, aside, device, smk.params.code)
    job.run_and_write(smk.output)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
