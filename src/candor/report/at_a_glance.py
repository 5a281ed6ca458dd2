"""What the first page opens on: the trust profiles as a table, their radar, and the best system's in sentences."""

from __future__ import annotations

import math
from base64 import encodebytes
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from candor.numbers import with_prefix
from candor.report.answers import Figure, system_of
from candor.trust.axes import BETTER, HEADS, Axis
from candor.trust.profile import axes_of, missing, note
from candor.trust.sheet import figure_text, passed_text

Profile = Mapping[Any, Any]

LEAKS = {
    "privacy_layers": "gender, from the backbone's most telling layer (UAR)",
    "privacy": "gender, from the embedding (UAR)",
    "privacy_speaker": "same speaker?, from the embedding (equal error rate)",
    "privacy_membership": "trained on?, from the loss (area under the ROC)",
}
"""What attackers read, as the heads of a table."""


def radar_image(svg: bytes, dataset: str) -> str:
    """Return the radar as an image inside the page, in lines: those that make the report refuse very long ones."""
    return (
        f'<img class="radar" alt="Radar of the trust profiles on {escape(dataset)}; the table says the same" '
        f'src="data:image/svg+xml;base64,{encodebytes(svg).decode().strip()}"/>'
    )


def profile_lines(profiles: Sequence[Profile]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of profiles, as HTML.

    Parameters
    ----------
    profiles
        Rows of `TrustProfile`.
    """
    heads = ["system", *(f"{head} ({BETTER[axis]})" for axis, head in HEADS.items()), "tests passed", ""]
    return heads, [_cells(profile) for profile in profiles]


def _cells(profile: Profile) -> list[str]:
    mark = "" if profile["interpretable"] == "yes" else profile["interpretable"]
    return [
        escape(system_of(profile)),
        *(_cell(profile, axis) for axis in axes_of(profile)),
        passed_text(profile),
        escape(mark),
    ]


def leak_lines(profiles: Sequence[Profile]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of what systems give away, as HTML.

    Parameters
    ----------
    profiles
        Rows of `TrustProfile`.
    """
    heads = ["system", *LEAKS.values()]
    return heads, [
        [escape(system_of(profile)), *(str(_figure(profile, name)) for name in LEAKS)] for profile in profiles
    ]


def _cell(profile: Profile, axis: Axis) -> str:
    words = escape(figure_text(profile, axis))
    why = note(profile, axis.name) if math.isnan(float(profile[axis.name])) else ""
    return f'<span title="{escape(why)}">{words}</span>' if why else words


def reasons(profiles: Sequence[Profile]) -> list[str]:
    """Return why figures are missing."""
    return [f"{system_of(profile)}: {axis.head}: {why}" for profile, axis, why in missing(profiles)]


def profile_sentences(profile: Profile) -> Iterable[str]:
    """Yield what leaks from a system, what it bears and what it costs, each in a sentence of HTML."""
    read = _figure(profile, "privacy")
    if not math.isnan(read.value):
        layers = _figure(profile, "privacy_layers")
        beneath = "" if math.isnan(layers.value) else f", from the layers of its backbone with {layers}"
        yield (
            f"Gender is read from its emotion embedding with a UAR of <b>{read}</b> (chance 50){beneath}: "
            f"{escape(str(profile['privacy_verdict']))}."
        )
    elif profile["privacy_verdict"]:
        yield f"Gender is not read from its emotion embedding: {escape(str(profile['privacy_verdict']))}."
    told, members = _figure(profile, "privacy_speaker"), _figure(profile, "privacy_membership")
    if not math.isnan(told.value):
        yield f"By the same embedding strangers are told apart with an equal error rate of <b>{told} %</b> (chance 50)."
    if not math.isnan(members.value):
        yield (
            "Whether it was trained on an utterance shows in its loss: area under the ROC "
            f"<b>{members} %</b> (chance 50)."
        )
    kept = _figure(profile, "robustness")
    if not math.isnan(kept.value):
        yield f"Under disturbance <b>{kept} %</b> of its predictions stay; {passed_text(profile)} tests are passed."
    if not math.isnan(float(profile["cost"])):
        yield (
            f"A second of speech takes it <b>{with_prefix(float(profile['cost']))} FLOPs</b>; it has "
            f"{profile['parameters']:,.0f} parameters, of which {profile['trainable']:,.0f} were trained."
        )


def _figure(profile: Profile, name: str) -> Figure:
    return Figure.of(profile, name, f"{name}_low", f"{name}_high")
