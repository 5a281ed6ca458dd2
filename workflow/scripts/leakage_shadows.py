"""Run shadow federations: other people train as the victims do, and what they send is kept."""

import json
from pathlib import Path

from candor.leakage.shadow_people import sources_of
from candor.leakage.shadows import ShadowJob, as_attacker
from candor.memory import keep_freed_memory
from candor.runtime import start_logging, use_device, use_threads


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, 1)
    keep_freed_memory()
    params, names, device = smk.params, dict(smk.wildcards), use_device(smk.resources.device)
    sources = sources_of(smk.input, params.datasets, params.store)
    run = smk.input.get("run")
    settings = as_attacker(params.options, json.loads(Path(run).read_text(encoding="utf-8")) if run else None)
    inputs, aside = dict(smk.input), Path(params.aside)
    job = ShadowJob(names, settings, sources, params.datasets, params.models, inputs, aside, device, params.code)
    job.run_and_write(smk.output)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
