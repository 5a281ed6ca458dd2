"""What the name of an entry of `federated` stands for: an algorithm, or handwritten digits."""

from difflib import get_close_matches
from typing import Any, Literal, get_args

Algorithm = Literal[
    "fed_sgd",
    "fed_avg",
    "fed_prox",
    "fed_avgm",
    "fed_adam",
    "fed_yogi",
    "fed_adagrad",
    "scaffold",
    "median",
    "trimmed_mean",
    "krum",
    "multi_krum",
    "central",
]

DIGITS: dict[str, Any] = {
    "workload": "digits",
    "model_type": "fed_avg",
    "partition": "iid",
    "clients": 3,
    "clients_per_round": 1,
    "num_epochs": 50,
    "federate_after_n_batches": 10,
    "batch_size": 64,
    "learning_rate": 0.01,
    "optimizer": "sgd",
    "weight_decay": 0,
    "seed": 1,
}
"""What an entry called `digits` stands for: three clients who train as PySyft's workers do in its example on MNIST."""

UNFIT_FOR = {
    "fed_sgd": ("federate_after_n_batches", "optimizer", "weight_decay"),
    "central": ("clients_per_round",),
}
"""What of that would do nothing with another algorithm."""


def with_algorithm(name: str, entry: Any) -> Any:
    """Return an entry with what its name stands for: an algorithm, or the handwritten digits.

    >>> with_algorithm("fed_sgd", {})["model_type"], with_algorithm("digits", {})["workload"]
    ('fed_sgd', 'digits')
    >>> with_algorithm("slow", {"num_epochs": 500})
    {'num_epochs': 500}

    A name alone that is none of these, or one that is nearly an algorithm's, is a slip, and refused as that algorithm.

    >>> with_algorithm("fedprox", {"num_epochs": 500})["model_type"]
    'fedprox'
    """
    if not isinstance(entry, dict):
        return entry
    if name == "digits":
        unfit = UNFIT_FOR.get(str(entry.get("model_type")), ())
        return {**{key: value for key, value in DIGITS.items() if key not in unfit}, **entry}
    algorithms = get_args(Algorithm)
    is_meant = name in algorithms or not entry or _plain(name) in map(_plain, algorithms)
    is_meant = is_meant or bool(get_close_matches(_plain(name), map(_plain, algorithms), cutoff=0.85))
    return {"model_type": name, **entry} if is_meant else entry


def _plain(name: str) -> str:
    """Return a name as one may write it who does not know how it is written here."""
    return name.lower().replace("_", "").replace("-", "")
