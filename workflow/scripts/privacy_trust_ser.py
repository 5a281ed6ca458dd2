"""Attack gender as trust-ser does, in fold 1, and write its file."""

from candor.memory import keep_freed_memory
from candor.privacy.parity import as_trust_ser
from candor.runtime import start_logging, use_device, use_threads
from candor.store.objects import Store
from candor.tables.base import write_json
from candor.tables.features import FrameIndex
from candor.tables.splits import FoldTable


def main(smk) -> None:
    start_logging(smk.log[0])
    use_threads(smk.threads, smk.params.least_threads)
    keep_freed_memory()
    fold, frames = FoldTable.read(smk.input.fold), FrameIndex.read(smk.input.frames)
    device = use_device(smk.resources.device)
    write_json(as_trust_ser(fold, frames, Store(smk.params.store), device), smk.output.trust_ser)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
