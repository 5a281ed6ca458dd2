"""The config as a whole."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from candor.config.backbones import Backbone, Fbank
from candor.config.corpora import Corpora
from candor.config.datasets import Dataset
from candor.config.project import SYNTHESISE, DataDir, ProjectDir, StoreDir
from candor.config.recipes import Linear, Recipe
from candor.config.section import Section
from candor.config.splits import Splits

ENTRY = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
"""Names of entries become names of folders."""

EntryName = Annotated[str, Field(pattern=ENTRY)]
NAMED = ("datasets", "backbones", "recipes")


class Config(Section):
    """All that a user can say. Every key has a default; `config/config.yml` shows the usual ones."""

    data_dir: DataDir = Field(default={"demo": SYNTHESISE})
    project_dir: ProjectDir = "results"
    store_dir: StoreDir = None
    datasets: dict[EntryName, Dataset] = Field(
        default={}, description="Datasets beside those that the known corpora are by themselves."
    )
    corpora: Corpora = Field(default=Corpora(), description="When a recording is too broken to take part.")
    splits: Splits = Field(default=Splits(), description="How speakers are dealt out.")
    backbones: dict[EntryName, Backbone] = Field(
        default={"fbank": Fbank()}, min_length=1, description="The backbones to compare."
    )
    recipes: dict[EntryName, Recipe] = Field(
        default={"linear": Linear()}, min_length=1, description="The trainings to compare."
    )

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
                settled[key] = {
                    name: {} if entry is None else entry for name, entry in entries.items() if entry is not False
                }
        return settled
