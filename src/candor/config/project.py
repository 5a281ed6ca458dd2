"""The keys `data_dir`, `project_dir` and `store_dir`: where things are and where they go."""

from typing import Annotated

from pydantic import Field

SYNTHESISE = "synthesise"
"""The value of `data_dir.demo` that has the workflow make the demo corpus itself."""

DataDir = Annotated[
    dict[str, str | None],
    Field(
        description="One path per corpus: the folder that you unpacked. Leave a path empty for a corpus that you "
        "do not have. Keys are the known corpora and the datasets whose `corpus` is `table`. "
        f"`demo: {SYNTHESISE}` has the workflow make the demo corpus below `project_dir`.",
        examples=[{"ravdess": "/data/RAVDESS", "crema_d": "/data/CREMA-D", "demo": SYNTHESISE}],
    ),
]

ProjectDir = Annotated[
    str,
    Field(
        min_length=1,
        description="Everything that is made goes here. Targets are spelled `results/…` whatever it is.",
        examples=["results", "/scratch/me/candor"],
    ),
]

StoreDir = Annotated[
    str | None,
    Field(
        description="The content-addressed store of converted audio and features. Empty: `store` in `project_dir`. "
        "Several projects, or a whole lab, may share one.",
        examples=["/shared/lab/candor-store"],
    ),
]
