"""Set the trust profiles of all datasets side by side; write table, figure and papers."""

import pandas as pd

from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.sheets import save_sheet
from candor.tables.trust import TrustOverview, TrustProfile
from candor.trust.overview import datasets_figure
from candor.trust.sheet import trust_sheet


def main(smk) -> None:
    start_logging(smk.log[0])
    out = smk.output
    TrustOverview.write(pd.concat(map(TrustProfile.read, smk.input.profiles)), out.summary)
    rows = TrustOverview.read(out.summary)
    save_in_print(datasets_figure(rows), out.figure)
    save_sheet(trust_sheet(rows), "tab:trust", out.tex, out.md)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
