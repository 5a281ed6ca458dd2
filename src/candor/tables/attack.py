"""What the stage `attack` hands on."""

from candor.tables.base import Column, Table

METHOD_NAMES = {
    "fgsm": "FGSM",
    "pgd": "PGD",
    "pgd_momentum": "PGD with momentum",
    "fgsm_trust_ser": "FGSM as in trust-ser",
    "control": "random signs",
}
"""What attacks are called in figures."""

VERSIONS = ("clean", "attacked", "perturbation")
"""Of each clip to listen to."""

NOT_APPLICABLE = "not applicable"

_METHOD = Column(
    "method",
    "fgsm, pgd, pgd_momentum; fgsm_trust_ser with `parity: trust-ser`; transfer_… where another backbone's gradient is "
    "followed",
)
_SNR = Column("snr", "Signal-to-noise ratio that was asked for", "number", "dB")
_SOURCE = Column("source", "Backbone whose gradient was followed")


class Attacked(Table):
    """What models say of each test utterance, as it is and perturbed."""

    name = "attacked"
    path = "attack/{dataset}/{backbone}/{recipe}/attacked.tsv"
    description = (
        "One row per test utterance and seed as it is (method `none`); for each that is attacked one per method and "
        "ratio, and one per ratio for random signs as loud (method `control`)."
    )
    key = ("utterance", "seed", "method", "snr")
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("speaker", "Who speaks; blank where not known", blank=True),
        Column("gender", "female or male; blank where not known", blank=True),
        Column("session", "Recording session, dyad or podcast", blank=True),
        Column("fold", "Fold in which the utterance is tested", "integer"),
        Column("seed", "Seed of the model", "integer"),
        Column("label", "True emotion"),
        Column("target", "Emotion that shall be heard instead; blank for any but the true one", blank=True),
        Column("method", f"none, control, or the attack: {_METHOD.description}"),
        Column("source", "Backbone whose gradient was followed; blank for none and control", blank=True),
        Column("snr", f"{_SNR.description}; blank for none", "number", "dB", blank=True),
        Column("before", "Emotion that the model hears in the utterance as it is"),
        Column("predicted", "Emotion that it hears in this row's"),
        Column(
            "realised_snr",
            "The ratio that was reached, after clipping; blank where nothing was changed",
            "number",
            "dB",
            blank=True,
        ),
        Column("clipped", "Share of samples at the ends of the range, -1 and 1; blank for none", "number", blank=True),
        Column(
            "status",
            "attacked, or no gradient where the attack found no direction; of method none also why there is no attack: "
            "wrong before, silent, is the target",
        ),
    )


_RESULT = (
    _METHOD,
    Column("source", f"{_SOURCE.description}; blank where there is no attack", blank=True),
    Column("target", "Emotion that was to be heard instead; blank for any but the true one", blank=True),
    Column("snr", _SNR.description, "number", "dB", blank=True),
    Column("headline", "yes for the ratio that figures by group are of: 45 dB, or the nearest to it"),
    Column(
        "success",
        "Share of the attacked utterances that the model then mistakes (or takes for the target). Higher is worse",
        "number",
        blank=True,
    ),
    Column("low", "Lower end of its 95 % interval, clustered by speaker; blank with one speaker", "number", blank=True),
    Column("high", "Upper end of it", "number", blank=True),
    Column("control", "The same share with random signs as loud", "number", blank=True),
    Column("control_low", "Lower end of its interval", "number", blank=True),
    Column("control_high", "Upper end of it", "number", blank=True),
    Column("difference", "success − control, on the same utterances", "number", blank=True),
    Column("difference_low", "Lower end of its 95 % interval, paired, clustered by speaker", "number", blank=True),
    Column("difference_high", "Upper end of it", "number", blank=True),
    Column("p", "Two-sided p of the swap test between attack and control; not adjusted", "number", blank=True),
    Column(
        "accuracy",
        "Share of all test utterances that are right under attack; those wrong before count as wrong",
        "number",
        blank=True,
    ),
    Column("accuracy_low", "Lower end of its interval", "number", blank=True),
    Column("accuracy_high", "Upper end of it", "number", blank=True),
    Column("clean_accuracy", "Share of all test utterances that are right without attack", "number", blank=True),
    Column("clean_low", "Lower end of its interval", "number", blank=True),
    Column("clean_high", "Upper end of it", "number", blank=True),
    Column("realised_snr", "Mean of the ratios that were reached, after clipping", "number", "dB", blank=True),
    Column("clipped", "Mean share of samples at the ends of the range", "number", blank=True),
    Column(
        "attacked", "Utterances that were attacked, being right before with at least one seed", "integer", blank=True
    ),
    Column("attempts", "Attacks on these: one per utterance and seed with which it was right", "integer", blank=True),
    Column("tested", "Test utterances", "integer", blank=True),
    Column("speakers", "Their speakers; those who are not known count once per session", "integer", blank=True),
    Column(
        "silent", "Utterances that were right, but without a sound that a ratio could refer to", "integer", blank=True
    ),
    Column("no_gradient", "Attacked utterances without any gradient, which count as not fooled", "integer", blank=True),
    Column("folds", "Folds", "integer", blank=True),
    Column("seeds", "Seeds whose models were attacked", blank=True),
    Column(
        "verdict",
        "beyond control: the interval of the difference lies above 0; not beyond control; one speaker, which gives no "
        "interval; not interpretable: the models are at chance or say one class; no utterance was right; not "
        "applicable, with the reason",
    ),
)


class AttackResult(Table):
    """How often one backbone with one recipe is fooled."""

    name = "attack_result"
    path = "attack/{dataset}/{backbone}/{recipe}/summary.tsv"
    description = "One row per method and signal-to-noise ratio."
    key = ("method", "snr")
    columns = _RESULT


class AttackSummary(Table):
    """How often models are fooled in a dataset, for every backbone and recipe."""

    name = "attack_summary"
    path = "attack/{dataset}/summary.tsv"
    description = (
        "One row per backbone, recipe, method and signal-to-noise ratio; one row with the reason for each system "
        "that cannot be attacked."
    )
    key = ("dataset", "backbone", "recipe", "method", "snr")
    columns = (
        Column("dataset", "Dataset"),
        Column("backbone", "Backbone of the models that are attacked"),
        Column("recipe", "Recipe of the models"),
        *_RESULT,
    )


class AttackBreakdown(Table):
    """Who is fooled: success by emotion and by group, and how far groups lie apart."""

    name = "attack_breakdown"
    path = "attack/{dataset}/{backbone}/{recipe}/breakdown.tsv"
    description = (
        "One row per method, signal-to-noise ratio and group, and one for the gap of each axis. Groups are those of "
        "the fairness audit; of each only the attacked utterances count."
    )
    key = ("method", "snr", "axis", "what", "group")
    columns = (
        _METHOD,
        _SNR,
        Column("axis", "emotion, or what utterances are grouped by: a column of the manifest, or two with a plus sign"),
        Column("what", "success of a group, or gap: the greatest difference in success between two groups"),
        Column("group", "The group; blank for the gap", blank=True),
        Column("value", "Success, or the gap; blank where there is nothing to compare", "number", blank=True),
        Column(
            "low", "Lower end of its 95 % interval, over speakers; of a speaker over utterances", "number", blank=True
        ),
        Column("high", "Upper end of it", "number", blank=True),
        Column("p", "How often groups that mean nothing show at least as wide a gap", "number", blank=True),
        Column("p_holm", "The same, adjusted by Holm for the number of axes", "number", blank=True),
        Column("random_high", "95 of 100 attacks show less that fool all equally often", "number", blank=True),
        Column("higher", "The group that is fooled most often; of the gap", blank=True),
        Column("lower", "The group that is fooled least often; of the gap", blank=True),
        Column("attacked", "Attacked utterances", "integer"),
        Column("speakers", "Their speakers", "integer"),
        Column("note", "Why there is no figure; blank where there is one", blank=True),
    )


class AttackExamples(Table):
    """Clips to listen to."""

    name = "attack_examples"
    path = "attack/{dataset}/{backbone}/{recipe}/examples/examples.tsv"
    description = "One row per example; its files lie beside the table."
    key = ("example",)
    columns = (
        Column("example", "Number of the example, with which its files begin", "integer"),
        Column("utterance", "Name of the utterance"),
        Column("speaker", "Who speaks; blank where not known", blank=True),
        Column("label", "True emotion"),
        Column("fold", "Fold in which it is tested", "integer"),
        Column("seed", "Seed of the model", "integer"),
        _METHOD,
        _SNR,
        Column("before", "Emotion that the model hears in the clip as it is"),
        Column("after", "Emotion that it hears in the attacked clip"),
        Column("perturbation_gain", "By how much the perturbation alone was made louder", "number", "dB"),
    )


ATTACK_MADE_OF = "attack/{dataset}/{backbone}/{recipe}/attacked.json"
"""How an attack was made: settings, seeds, models, hashes of inputs, versions."""

TRUST_SER_ATTACK = "attack/{dataset}/{backbone}/{recipe}/trust_ser.json"
"""The same in trust-ser's format, with `parity: trust-ser`: success per fold in per cent at the headline ratio."""

ATTACK_CURVE_FIGURE = "attack/{dataset}/{backbone}/{recipe}/success.png"
"""Success over the signal-to-noise ratio, beside random signs."""

ATTACK_GROUPS_FIGURE = "attack/{dataset}/{backbone}/{recipe}/groups.png"
"""Success by emotion and by group."""

ATTACK_SYSTEMS_FIGURE = "attack/{dataset}/systems.png"
"""Success of every backbone and recipe."""

EXAMPLE_AUDIO = "attack/{dataset}/{backbone}/{recipe}/examples/{example}-{version}.wav"
"""A clip to listen to: clean, attacked, or the perturbation alone; 32-bit samples, so that nothing is rounded away."""

EXAMPLE_FIGURE = "attack/{dataset}/{backbone}/{recipe}/examples/{example}.png"
"""Waveforms and spectrograms of an example."""
