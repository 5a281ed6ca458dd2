"""Set the trust profiles of all datasets side by side; write table, figure and papers."""

import pandas as pd

from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.base import atomic
from candor.tables.trust import TrustOverview, TrustProfile
from candor.trust.overview import datasets_figure
from candor.trust.sheet import trust_sheet


def main(smk) -> None:
    start_logging(smk.log[0])
    out = smk.output
    TrustOverview.write(pd.concat(map(TrustProfile.read, smk.input.profiles)), out.summary)
    rows = TrustOverview.read(out.summary)
    save_in_print(datasets_figure(rows), out.figure)
    sheet = trust_sheet(rows)
    for file, text in {out.tex: sheet.latex("tab:trust"), out.md: sheet.markdown()}.items():
        with atomic(file) as handle:
            handle.write(text)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
