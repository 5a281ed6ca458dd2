"""Put what all audits of a dataset have found into a profile per backbone and recipe; write table, radar and papers."""

from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.sheets import save_sheet
from candor.tables.attack import AttackSummary
from candor.tables.cost import CostSummary
from candor.tables.fairness import FairnessSummary
from candor.tables.performance import Summary
from candor.tables.privacy import PrivacySummary
from candor.tables.robustness import RobustnessSummary
from candor.tables.trust import TrustAxes, TrustProfile
from candor.trust.profile import Found, axis_rows, profiles
from candor.trust.radar import radar_figure
from candor.trust.sheet import trust_sheet


def main(smk) -> None:
    start_logging(smk.log[0])
    files, out, dataset = smk.input, smk.output, smk.wildcards.dataset
    found = Found(
        performance=Summary.read(files.performance),
        fairness=FairnessSummary.read(files.fairness),
        attack=AttackSummary.read(files.attack) if files.get("attack") else None,
        privacy=PrivacySummary.read(files.privacy),
        robustness=RobustnessSummary.read(files.robustness),
        cost=CostSummary.read(files.cost),
    )
    TrustProfile.write(profiles(found, smk.params.fairness_by), out.summary)
    rows = TrustProfile.read(out.summary)
    TrustAxes.write([row for profile in rows.to_dict("records") for row in axis_rows(profile)], out.axes)
    save_in_print(radar_figure(rows, TrustAxes.read(out.axes), f"{dataset}: trust profiles"), out.radar)
    save_sheet(trust_sheet(rows), f"tab:{dataset}-trust", out.tex, out.md)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
