"""What audits of a made-up dataset have found."""

import math

import pandas as pd

from candor.trust.profile import Found

NAN = math.nan
SYSTEMS = (("wavlm", "cnn"), ("egemaps", "linear"))


def found(metric="uar", *, attacked=True, **changes):
    """The tables of all audits over two systems; a change replaces cells in the rows of the first."""
    tables = {name: [] for name in ("performance", "fairness", "attack", "privacy", "robustness", "cost")}
    for number, (backbone, recipe) in enumerate(SYSTEMS):
        names = {"dataset": "corpus", "backbone": backbone, "recipe": recipe}
        worse = 0.1 * number
        tables["performance"].append(
            {**names, "metric": metric, **interval(0.65 - worse), "chance": 0.25, "interpretable": "yes",
             "utterances": 400, "speakers": 10},
        )  # fmt: skip
        for axis, variant, aggregate in (
            ("gender", "as spoken", "max"), ("gender", "balanced", "max"), ("gender", "as spoken", "mean"),
            ("gender+race", "as spoken", "max"),
        ):  # fmt: skip
            value = 0.1 + worse + (0.2 if axis != "gender" else 0.0) + (0.3 if variant == "balanced" else 0.0)
            tables["fairness"].append(
                {**names, "axis": axis, "variant": variant, "metric": metric, "aggregate": aggregate, **interval(value),
                 "random_high": 0.05, "verdict": "beyond chance"},
            )  # fmt: skip
        for snr, headline, success in ((60.0, "no", 0.2), (45.0, "yes", 0.6)):
            tables["attack"].append(
                {**names, "method": "fgsm", "source": backbone, "target": "", "snr": snr, "headline": headline,
                 **interval(success, value="success"), "control": 0.1, "verdict": "beyond control"},
            )  # fmt: skip
        for attribute, source, metric_, value, headline in (
            ("gender", "embedding", "uar", 0.8, "yes"), ("gender", "embedding", "uar", 0.7, "no"),
            ("gender", "all layers", "uar", 0.9, "no"), ("gender", "layer 6", "uar", 0.95, "yes"),
            ("verification", "embedding", "eer", 0.3, "yes"), ("membership", "outputs", "auc", 0.6, "yes"),
            ("membership", "outputs", "tpr", 0.03, "no"),
        ):  # fmt: skip
            tables["privacy"].append(
                {**names, "attribute": attribute, "source": source, "metric": metric_, **interval(value),
                 "headline": headline, "verdict": "beyond control"},
            )  # fmt: skip
        for test, share in (("white_noise", 0.9), ("all", 0.75)):
            tables["robustness"].append(
                {**names, "test": test, "unchanged": share - worse, "unchanged_low": share - worse - 0.05,
                 "unchanged_high": share - worse + 0.05, "tests_passed": 8 if test == "all" else NAN,
                 "tests_made": 13 if test == "all" else NAN, "verdict": "8 of 13 passed"},
            )  # fmt: skip
        tables["cost"].append(
            {**names, "parameters": 94_000_000, "trainable": 200_000, "flops_per_second": 1e10, "note": ""}
        )
    for name, cells in changes.items():
        tables[name] = [row | (cells if row["backbone"] == "wavlm" else {}) for row in tables[name]]
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    return Found(**{**frames, "attack": frames["attack"] if attacked else None})


def interval(at, *, value="value"):
    return {value: at, "low": at - 0.05, "high": at + 0.05}
