"""What attackers, layers and verdicts are called in tables; who reads tables needs no torch."""

LOGISTIC, CNN = READERS = ("logistic", "cnn")
"""Who looks at the numbers of an update."""

NORMS, LABELS = "norms", "labels"
"""Who is told less than an update, as a control: how long it is; how often each class occurs at the client."""

ALL, NONE = "all", "none"
"""All layers together, and the layer of who sees no update."""

UNDEFENDED, KNOWS, DOES_NOT_KNOW = "undefended", "knows", "does not know"
"""What an attacker knows of the defence of a run."""

UAR, AUC = "uar", "auc"

SPEAKERS = "speakers who are no clients"
"""Whom the attacker learns from where no other datasets are named."""
