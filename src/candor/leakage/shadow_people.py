"""Whose clips shadow federations are run on, and where the features of these are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from candor.corpora.emotions import classes_in
from candor.federated.workloads.prepared import Sources
from candor.store.objects import Store
from candor.tables.corpora import Utterances
from candor.tables.features import FeatureIndex, FrameIndex
from candor.tables.splits import FoldTable

if TYPE_CHECKING:
    import pandas as pd


def sources_of(inputs: Any, datasets: Sequence[str], store: str) -> Sources:
    """Return what shadow people's examples are made of.

    Parameters
    ----------
    inputs
        The rule's: a fold of the victims, features, and the manifests of other datasets.
    datasets
        Whose people they are; none for the speakers of that fold who are no clients.
    store
        Where features are.
    """
    victims, leads = FoldTable.read(inputs.victims), [f"{name}/" for name in datasets] or [""]
    tables = [Utterances.read(file) for file in inputs.utterances] if datasets else [victims[victims["part"] == "test"]]
    classes = classes_in(victims["label"])
    return Sources(
        fold=0,
        table=shadow_people(dict(zip(leads, tables, strict=True)), classes),
        pooled=_led(FeatureIndex, inputs.features, leads),
        frames=_led(FrameIndex, inputs.frames, leads) if inputs.get("frames") else None,
        store=Store(store),
        classes=classes,
    )


def _led(kind: type[FeatureIndex | FrameIndex], files: Sequence[str], leads: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([lead_names(kind.read(file), lead) for file, lead in zip(files, leads, strict=True)])


def shadow_people(tables: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Return the clips of shadow people, all of them to learn from, as a fold's table has them.

    Parameters
    ----------
    tables
        Rows of folds or manifests, by what is put before the names in them.
    classes
        What the victims tell apart. Clips of other classes are left out: the model has no place for them.
    """
    import pandas as pd

    parts = [lead_names(table[table["label"].isin(classes)], lead) for lead, table in tables.items()]
    return pd.concat(parts, ignore_index=True).assign(part="train")


def lead_names(table: pd.DataFrame, lead: str) -> pd.DataFrame:
    """Return rows with something before the names of utterances, speakers and sessions, so that no two are alike."""
    named_columns = [name for name in ("utterance", "speaker", "session") if name in table.columns]
    led = {name: table[name].where(table[name] == "", lead + table[name].astype(str)) for name in named_columns}
    return table.assign(**led)
