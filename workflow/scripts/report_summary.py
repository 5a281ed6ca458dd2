"""Write what the report opens on: the trust profiles, and the answer to each question."""

from pathlib import Path

from candor.report.answers import answers
from candor.report.page import page
from candor.runtime import start_logging
from candor.tables.attack import AttackSummary
from candor.tables.base import atomic
from candor.tables.fairness import FairnessSummary, Groups
from candor.tables.performance import Summary
from candor.tables.trust import TrustProfile


def main(smk) -> None:
    start_logging(smk.log[0])
    systems = map(tuple, smk.params.systems)
    groups = {system: Groups.read(file) for system, file in zip(systems, smk.input.groups, strict=True)}
    attack = AttackSummary.read(smk.input.attack) if smk.input.get("attack") else None
    profiles, radar = TrustProfile.read(smk.input.trust), Path(smk.input.radar).read_bytes()
    performance, fairness = Summary.read(smk.input.performance), FairnessSummary.read(smk.input.fairness)
    with atomic(smk.output.page) as handle:
        handle.write(page(answers(smk.wildcards.dataset, profiles, performance, fairness, groups, attack), radar))


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
