"""What a table of results says of the machine and of the process that ran."""

from __future__ import annotations

import os
import resource

import torch

Row = dict[str, str]


def about_the_run() -> list[Row]:
    """Return the most memory that this process has had, and how busy the machine was."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return [
        {
            "what": "peak RSS of this process",
            "ours": f"{peak:.0f} MB",
            "other": "",
            "ratio": "",
            "how measured": "all of the run, ours and the others",
        },
        {
            "what": "load of the machine at the end",
            "ours": f"{os.getloadavg()[1]:.1f}",
            "other": f"{os.cpu_count()} cores",
            "ratio": "",
            "how measured": "processes that wanted to run, mean of five minutes, this one included",
        },
    ]


def threads() -> str:
    """Return how many threads torch uses, in words."""
    count = torch.get_num_threads()
    return "one thread" if count == 1 else f"{count} threads"
