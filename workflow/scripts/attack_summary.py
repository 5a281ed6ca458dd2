"""Evaluate an attack: success with intervals beside random signs, by emotion and by group; write tables and figures."""

from candor.attack.breakdown import breakdown
from candor.attack.evaluate import Fooled, Planned, as_trust_ser, headline, results
from candor.attack.figures import curve_figure, groups_figure, method_name
from candor.fairness.groups import Asked
from candor.figures import save_in_print
from candor.runtime import start_logging
from candor.tables.attack import AttackBreakdown, Attacked, AttackResult
from candor.tables.base import write_json
from candor.tables.corpora import Utterances


def main(smk) -> None:
    start_logging(smk.log[0])
    run, snrs, out = smk.wildcards, smk.params.snrs, smk.output
    fooled, planned = Fooled(Attacked.read(smk.input.attacked)), [Planned(*names) for names in smk.params.called]
    AttackResult.write(results(fooled, planned, snrs), out.summary)
    manifest = Utterances.read(smk.input.utterances)
    AttackBreakdown.write(breakdown(fooled, planned, snrs, manifest, Asked(**smk.params.asked)), out.breakdown)
    title = f"{run.dataset}: {run.backbone}, {run.recipe}"
    save_in_print(curve_figure(AttackResult.read(out.summary), title), out.curve)
    rows, first, snr = AttackBreakdown.read(out.breakdown), planned[0], headline(snrs)
    rows = rows[(rows["method"] == first.method) & (rows["snr"] == snr)]
    how = f"{method_name(first.method, first.source, fooled.target)} at {snr:g} dB"
    save_in_print(groups_figure(rows, f"{title}, {how}"), out.groups)
    if out.get("trust_ser"):
        write_json(as_trust_ser(fooled, first.method, snr), out.trust_ser)


if "snakemake" in globals() and __name__ == "__main__":
    main(snakemake)  # noqa: F821
