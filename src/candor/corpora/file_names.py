"""Read corpora whose file names tell all there is to tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from candor.corpora.listing import files
from candor.corpora.reader import Clip, Reading, Rejection


def read_file_names(root: Path, read_name: Callable[[str], Clip | Rejection], *suffixes: str) -> Reading:
    """Read the names of all recordings below `root`; of a second copy of one, nothing.

    Copies on the web hold some corpora twice, one inside the other. The one nearer to `root` counts.

    Parameters
    ----------
    root
        The corpus folder.
    read_name
        Returns what the path of a recording, below `root`, tells: a clip, or why there is none.
    suffixes
        How the names of recordings end, in lower case; ``.wav`` if left out.
    """
    clips: dict[str, Clip] = {}
    rejected: list[Rejection] = []
    for path in sorted(files(root, *(suffixes or (".wav",))), key=lambda path: (path.count("/"), path)):
        resource_fork = path.rpartition("/")[2].startswith("._")
        found = Rejection(path, "audio", "macOS resource fork") if resource_fork else read_name(path)
        if isinstance(found, Clip) and found.utterance in clips:
            first = clips[found.utterance].path
            found = Rejection(path, "filter", f"second copy: {first} has the same name", found.utterance)
        if isinstance(found, Clip):
            clips[found.utterance] = found
        else:
            rejected.append(found)
    return Reading([clips[utterance] for utterance in sorted(clips)], rejected)
