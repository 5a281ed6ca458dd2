"""The config as a whole."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from candor.config.attack import Attack
from candor.config.backbones import Backbone, Fbank, Pretrain, S3prl, filled_in
from candor.config.corpora import Corpora
from candor.config.cost import Cost
from candor.config.datasets import Dataset
from candor.config.fairness import Fairness
from candor.config.features import Features
from candor.config.federated import FederatedRun
from candor.config.federated_entries import DIGITS, with_algorithm
from candor.config.leakage import Leakage
from candor.config.privacy import Privacy
from candor.config.project import SYNTHESISE, DataDir, Device, ProjectDir, StoreDir, WeightsDir
from candor.config.recipes import Cnn, Recipe, with_head
from candor.config.robustness import Robustness
from candor.config.section import Section
from candor.config.splits import Splits
from candor.config.trust import Trust

ENTRY = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
"""Names of entries become names of folders."""

EntryName = Annotated[str, Field(pattern=ENTRY)]
APC_DEMO = S3prl(
    upstream="apc",
    pretrain=Pretrain(
        dataset=["demo_unlabelled"],
        hidden_size=128,
        num_epochs=6,
        batch_seconds=10,
        max_seconds=1,
        learning_rate=0.004,
    ),
)
"""A backbone that the demo pretrains, so that it needs no download."""

FEDERATIONS = {
    "fed_avg": FederatedRun(model_type="fed_avg"),
    "fed_sgd": FederatedRun(model_type="fed_sgd"),
    "central": FederatedRun(model_type="central"),
    "digits": FederatedRun(**DIGITS),
}
"""Two algorithms, what they are compared with, and one that needs no corpus."""

NAMED = ("datasets", "backbones", "recipes", "federated")
SETTLED = {"backbones": filled_in, "recipes": with_head, "federated": with_algorithm}
"""What a name alone says of an entry."""


class Config(Section):
    """All that a user can say. Every key has a default; `config/config.yml` shows the usual ones."""

    data_dir: DataDir = Field(default={"demo": SYNTHESISE, "demo_unlabelled": SYNTHESISE})
    project_dir: ProjectDir = "results"
    store_dir: StoreDir = None
    weights_dir: WeightsDir = None
    device: Device = "auto"
    datasets: dict[EntryName, Dataset] = Field(
        default={},
        description="Datasets beside those that the known corpora are by themselves.",
    )
    corpora: Corpora = Field(default=Corpora(), description="When a recording is too broken to take part.")
    splits: Splits = Field(default=Splits(), description="How speakers are dealt out.")
    backbones: dict[EntryName, Backbone] = Field(
        default={"fbank": Fbank(), "apc_demo": APC_DEMO}, min_length=1, description="The backbones to compare."
    )
    features: Features = Field(default=Features(), description="How backbones are run.")
    recipes: dict[EntryName, Recipe] = Field(
        default={"cnn": Cnn()}, min_length=1, description="The trainings to compare."
    )
    fairness: Fairness = Field(default=Fairness(), description="Between whom models are compared.")
    attack: Attack = Field(default=Attack(), description="How models are attacked.")
    privacy: Privacy = Field(default=Privacy(), description="What is read off hidden states and models.")
    robustness: Robustness = Field(default=Robustness(), description="How speech is disturbed.")
    cost: Cost = Field(default=Cost(), description="How it is measured what a system costs.")
    trust: Trust = Field(default=Trust(), description="What the profile of a system is made of.")
    federated: dict[EntryName, FederatedRun] = Field(
        default=FEDERATIONS, description="The federations to compare, in which clients train and keep their data."
    )
    leakage: Leakage = Field(default=Leakage(), description="What is read off the updates that clients send.")

    @model_validator(mode="before")
    @classmethod
    def _entries(cls, raw: Any) -> Any:
        """Take `name:` without a value as an entry with all defaults, and `name: false` as none at all."""
        if not isinstance(raw, dict):
            return raw
        settled = {key: value for key, value in raw.items() if value is not None or key not in cls.model_fields}
        for key in NAMED:
            entries = settled.get(key)
            if isinstance(entries, dict):
                settle = SETTLED.get(key, lambda _, entry: entry)
                settled[key] = {
                    name: settle(name, {} if entry is None else entry)
                    for name, entry in entries.items()
                    if entry is not False
                }
        return settled
