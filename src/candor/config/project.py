"""The keys `data_dir`, `project_dir`, `store_dir`, `weights_dir` and `device`: where things are, go and run."""

from typing import Annotated, Literal

from pydantic import Field

SYNTHESISE = "synthesise"
"""The value of `data_dir.demo` that has the workflow make the demo corpus itself."""

DIGITS = "digits"
"""What handwritten digits are called: their folder in `data_dir`, their workload and the dataset that they are."""

DataDir = Annotated[
    dict[str, str | None],
    Field(
        description="One path per corpus: the folder that you unpacked. Leave a path empty for a corpus that you "
        "do not have. Keys are the known corpora and the datasets whose `corpus` is `table` or `folder`. "
        f"`demo: {SYNTHESISE}` has the workflow make the demo corpus below `project_dir`. `digits` is the folder of "
        "MNIST's four files, which are federated in place of scikit-learn's smaller digits.",
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

WeightsDir = Annotated[
    str | None,
    Field(
        description="A folder with weights of backbones, for machines without the internet: a folder per backbone, "
        "called as its entry or as its model on the hub. Looked into before anything is downloaded.",
        examples=["/shared/lab/weights"],
    ),
]

Device = Annotated[
    Literal["auto", "cpu", "cuda"],
    Field(description="What backbones and heads run on. `auto`: a GPU where a job may see one, else the CPU."),
]
