"""What methods and outcomes are called in tables; apart from the attacks, so that who reads tables needs no torch."""

from __future__ import annotations

FGSM, PGD, PGD_MOMENTUM = "fgsm", "pgd", "pgd_momentum"
FGSM_TRUST_SER = "fgsm_trust_ser"
TRANSFER = "transfer_"
"""Stands before the method where the gradient is another backbone's."""

CLEAN = "none"
CONTROL = "control"

ATTACKED, NO_GRADIENT = "attacked", "no gradient"
WRONG, SILENT, TARGET = "wrong before", "silent", "is the target"
"""Why an utterance is not attacked."""
