"""Every two runs that differ in one thing, told by their names."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from candor.tables.federated import FederatedComparison

if TYPE_CHECKING:
    import pandas as pd

ENTRY = {"recipe": "entry"}
"""What the stage `performance` calls recipes are entries of `federated` here."""


def pairs_of_runs(rows: pd.DataFrame, names: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """Return rows of `Comparison` as those of `FederatedComparison`.

    Parameters
    ----------
    rows
        Pairs whose backbones are what was learned from, and whose recipes are entries of the config.
    names
        The run of each of these.
    """
    import pandas as pd

    made: list[dict[Hashable, Any]] = []
    for row in rows.to_dict("records"):
        runs = [names[row[f"backbone_{side}"], row[f"recipe_{side}"]] for side in "ab"]
        varied = [row[f"{row['differ_in']}_{side}"] for side in "ab"]
        better = runs[varied.index(row["better"])] if row["better"] in varied else row["better"]
        told = {"run_a": runs[0], "run_b": runs[1], "better": better}
        made.append(row | told | {"differ_in": ENTRY.get(row["differ_in"], row["differ_in"])})
    return pd.DataFrame(made, columns=[column.name for column in FederatedComparison.columns])
