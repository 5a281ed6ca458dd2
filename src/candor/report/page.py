"""The first page as HTML: the trust profiles, the best recognising system in words, a table for each question."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from candor.figures import BLUE, GREY, INK, LIGHT, VERMILION
from candor.report.answers import Answers, Figure, Fooled, Recognised, Served, system_of
from candor.report.at_a_glance import leak_lines, profile_lines, profile_sentences, radar_image, reasons
from candor.trust.axes import units

BEYOND = ("beyond chance", "beyond control")

# The first lines make room on the report's first page, which has the graph of the rules beside a narrow column.
STYLE = f"""<style>
div.flex:has(> div > .prose .candor) {{ flex-direction: column; }}
div.overflow-auto:has(.prose .candor) {{ align-items: flex-start; justify-content: flex-start; }}
.prose:has(.candor) {{ max-width: none; }}
.candor {{ color: {INK}; font-size: 13.5px; line-height: 1.45; max-width: 72em; }}
.candor h2 {{ font-size: 20px; font-weight: 700; margin: 1.2em 0 .4em; }}
.candor h3 {{ font-size: 15px; font-weight: 700; margin: 1.2em 0 .3em; }}
.candor p, .candor ul {{ margin: .3em 0; }}
.candor ul {{ list-style: disc; padding-left: 1.4em; }}
.candor table {{ border-collapse: collapse; margin: .3em 0 .6em; }}
.candor th {{ text-align: left; font-weight: 600; border-bottom: 1px solid {GREY}; padding: 3px 14px 3px 0; }}
.candor td {{ border-bottom: 1px solid {LIGHT}; padding: 3px 12px 3px 0; vertical-align: middle; white-space: nowrap; }}
.candor .beyond {{ color: {VERMILION}; font-weight: 600; }}
.candor .radar {{ width: 100%; max-width: 60em; margin: .6em 0; }}
.candor .note {{ color: {GREY}; font-size: 12.5px; }}
</style>"""

WIDTH, HEIGHT = 120, 16


def page(found: Answers, radar: bytes) -> str:
    """Return the first page on a dataset as a fragment of HTML.

    Parameters
    ----------
    found
        What it says.
    radar
        The radar of the profiles, as SVG.
    """
    best = found.best
    parts = [
        STYLE,
        '<div class="candor">',
        f"<h2>{escape(found.dataset)}: {best.utterances:,} test utterances of {best.speakers} speakers</h2>",
        "<h3>Trust profiles</h3>",
        _table(*profile_lines(found.profiles)),
        f'<p class="note">In {units(profile["metric"] for profile in found.profiles)}, with 95 % intervals over '
        "speakers; FLOPs per second of speech. Of gender read, 50 is chance. The radar shows the same: outer is better "
        "on every axis.</p>",
        *(f'<p class="note">{escape(reason)}</p>' for reason in reasons(found.profiles)),
        radar_image(radar, found.dataset),
        f"<h3>In words: {escape(best.system)}, which recognises best</h3>",
        "<ul>",
        *(f"<li>{sentence}</li>" for sentence in sentences(found)),
        "</ul>",
        f"<h3>How well is {'emotion' if found.metric == 'UAR' else 'the rating'} recognised? (higher is better)</h3>",
        _recognised_table(found),
        "<h3>For whom does it fail? (lower gaps are better)</h3>",
        _served_table(found.served, found.metric),
        '<p class="note">Grey: what models that hear nothing show (95 of 100 show less). Line: 95 % interval over '
        "speakers (by speaker: over utterances). p: how often groups that mean nothing show as wide a gap; the "
        "verdict is by p adjusted for the number of axes.</p>",
    ]
    if found.fooled:
        parts += [
            "<h3>How easily is it fooled? (lower is better)</h3>",
            _fooled_table(found.fooled),
            '<p class="note">Success over the utterances that were right before. Grey: random signs as loud. '
            "Line: 95 % interval over speakers.</p>",
        ]
    parts += [
        "<h3>What does it give away? (50 is chance: low error rates and high other figures leak)</h3>",
        _table(*leak_lines(found.profiles)),
        '<p class="note">In per cent, with 95 % intervals over speakers.</p>',
    ]
    return "\n".join([*parts, "</div>", ""])


def sentences(found: Answers) -> Iterable[str]:
    """Yield the answers for the system that recognises best, each in a sentence."""
    best = found.best
    mark = "" if best.interpretable == "yes" else f" ({best.interpretable}: what follows means nothing)"
    yield (
        f"Best recognised by <b>{escape(best.system)}</b>: {found.metric} {best.figure}, "
        f"chance {best.chance:.1f}{mark}."
    )
    for one in found.served:
        if one.system == best.system and one.axis != "speaker":
            yield _served_sentence(one, found.metric)
    for attack in found.fooled:
        if attack.system == best.system:
            yield _fooled_sentence(attack)
    for profile in found.profiles:
        if system_of(profile) == best.system:
            yield from profile_sentences(profile)


def _served_sentence(one: Served, metric: str) -> str:
    if math.isnan(one.gap.value):
        return f"By {escape(one.axis)}: {_verdict(one.verdict)}."
    apart = f"{one.gap} points behind {escape(one.ahead)}" if one.groups == 2 else f"the widest gap is {one.gap} points"
    return (
        f"Worst served by {escape(one.axis)}: <b>{escape(one.worst)}</b>, {metric} {one.figure} "
        f"(n = {one.utterances:,}, {one.speakers} speakers); {apart}. Models that hear nothing show up to "
        f"{one.random_high:.1f}; {_p(one.p)}: {_verdict(one.verdict)}."
    )


def _fooled_sentence(one: Fooled) -> str:
    name = escape(one.attack)
    if math.isnan(one.figure.value):
        return f"Attack: {escape(one.verdict)}."
    return (
        f"{name} at {one.snr:g} dB fools <b>{one.figure} %</b> of the utterances that were right "
        f"(n = {one.attacked:,}, {one.speakers} speakers), random signs as loud {one.control} %: "
        f"{_verdict(one.verdict)}."
    )


def _recognised_table(found: Answers) -> str:
    def cells(one: Recognised) -> list[str]:
        mark = "" if one.interpretable == "yes" else escape(one.interpretable)
        return [
            escape(one.system), str(one.figure), f"{one.chance:.1f}",
            drawing(one.figure, one.chance, GREY if mark else BLUE), f"{one.utterances:,}", str(one.speakers), mark,
        ]  # fmt: skip

    unit = " (%)" if found.metric == "UAR" else " × 100"
    heads = ["system", f"{found.metric}{unit} [95 % interval]", "chance", "", "n", "speakers", ""]
    return _table(heads, map(cells, found.recognised))


def _served_table(served: Sequence[Served], metric: str) -> str:
    if not served:
        return "<p>No two groups are large enough to be compared.</p>"

    def cells(one: Served) -> list[str]:
        return [
            escape(one.system), escape(one.axis), escape(one.worst), str(one.figure), f"{one.utterances:,}",
            str(one.speakers), str(one.gap), "–" if math.isnan(one.random_high) else f"up to {one.random_high:.1f}",
            drawing(one.gap, one.random_high, VERMILION if one.verdict in BEYOND else GREY), _p(one.p),
            _verdict(one.verdict),
        ]  # fmt: skip

    figure = metric if metric == "UAR" else f"{metric} × 100"
    heads = ["system", "by", "worst served", f"its {figure}", "n", "speakers", "widest gap", "random band", "", "p", ""]
    return _table(heads, map(cells, served))


def _fooled_table(fooled: Sequence[Fooled]) -> str:
    def cells(one: Fooled) -> list[str]:
        if math.isnan(one.figure.value):
            return [escape(one.system), escape(one.attack), "", "", "", "", "", "", escape(one.verdict)]
        return [
            escape(one.system), escape(one.attack), f"{one.snr:g} dB", str(one.figure), str(one.control),
            drawing(one.figure, one.control.value, VERMILION if one.verdict in BEYOND else GREY),
            f"{one.attacked:,}", str(one.speakers), _verdict(one.verdict),
        ]  # fmt: skip

    heads = ["system", "attack", "SNR", "success (%)", "control (%)", "", "n", "speakers", ""]
    return _table(heads, map(cells, fooled))


def drawing(figure: Figure, band: float, colour: str) -> str:
    """Return a small picture: a grey bar up to `band`, and over it the figure with its interval, from 0 to 100."""
    if math.isnan(figure.value):
        return ""
    low, high = (figure.value if math.isnan(end) else end for end in (figure.low, figure.high))
    x = [round(WIDTH * min(max(part, 0), 100) / 100, 1) for part in (band, low, high, figure.value)]
    middle = HEIGHT / 2
    return (
        f'<svg width="{WIDTH + 8}" height="{HEIGHT}" viewBox="-4 0 {WIDTH + 8} {HEIGHT}" role="img" '
        f'aria-label="{figure}, grey up to {band:.1f}">'
        f'<rect x="0" y="3" width="{x[0]}" height="{HEIGHT - 6}" fill="{LIGHT}"/>'
        f'<line x1="{x[1]}" x2="{x[2]}" y1="{middle}" y2="{middle}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{x[3]}" cy="{middle}" r="3.5" fill="{colour}"/>'
        f'<line x1="0" x2="0" y1="0" y2="{HEIGHT}" stroke="{GREY}" stroke-width="1"/></svg>'
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _verdict(verdict: str) -> str:
    return f'<span class="beyond">{escape(verdict)}</span>' if verdict in BEYOND else escape(verdict)


def _p(p: float) -> str:
    return "–" if math.isnan(p) else "p &lt; 0.001" if p < 0.001 else f"p = {p:.3f}"
