"""The key `splits`: how utterances are dealt out to training, selection and test."""

from typing import Literal

from pydantic import Field

from candor.config.section import Section


class Splits(Section):
    """Folds, for all datasets that do not say otherwise. docs/splits.md says when to take which scheme."""

    scheme: Literal["auto", "speakers", "sessions", "leave_one_speaker_out", "texts", "official"] = Field(
        "auto",
        description="`speakers` deals speakers out like cards, `sessions` whole sessions or dyads, "
        "`leave_one_speaker_out` tests one speaker per fold, `texts` keeps sentences apart as well as speakers, "
        "`official` takes the partition that the corpus comes with. `auto` is the corpus's own way.",
    )
    folds: int | None = Field(
        None,
        ge=2,
        description="Number of folds; with `texts` each of them is cut further into `text_folds`. Empty: 5 for "
        "`speakers` and `texts`, one per session, one per speaker. Said for all datasets, it holds for the "
        "schemes that deal out; to leave out another number of sessions or speakers say it in the dataset's entry.",
    )
    text_folds: int = Field(4, ge=3, description="Into how many parts `texts` deals the sentences.")
    seed: int = Field(0, ge=0, description="Seed of the shuffle that comes before anything is dealt out.")
