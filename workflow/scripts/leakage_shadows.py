"""Run shadow federations: other people train as the victims do, and what they send is kept."""

from pathlib import Path

import pandas as pd

from candor.corpora.emotions import classes_in
from candor.federated.workloads.prepared import Sources
from candor.leakage.shadows import ShadowJob, as_attacker, lead_names, shadow_people
from candor.memory import keep_freed_memory
from candor.runtime import start_logging, use_device, use_threads
from candor.store.objects import Store
from candor.tables.corpora import Utterances
from candor.tables.features import FeatureIndex, FrameIndex
from candor.tables.splits import FoldTable


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, 1)
    keep_freed_memory()
    files, params = smk.input, smk.params
    victims = FoldTable.read(files.victims)
    classes, leads = classes_in(victims["label"]), params.leads or [""]
    others = victims[victims["part"] == "test"]
    tables = [Utterances.read(file) for file in files.utterances] if params.leads else [others]
    sources = Sources(
        fold=1,
        table=shadow_people(dict(zip(leads, tables, strict=True)), classes),
        pooled=led(FeatureIndex, files.features, leads),
        frames=led(FrameIndex, files.frames, leads) if files.get("frames") else None,
        store=Store(params.store),
        classes=classes,
    )
    names, aside, device = dict(smk.wildcards), Path(params.aside), use_device(smk.resources.device)
    settings = as_attacker(params.options)
    ShadowJob(names, settings, sources, params.models, dict(files), aside, device, params.code).run_and_write(
        smk.output
    )


def led(kind, files: list[str], leads: list[str]) -> pd.DataFrame:
    return pd.concat([lead_names(kind.read(file), lead) for file, lead in zip(files, leads, strict=True)])


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
