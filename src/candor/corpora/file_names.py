"""What the names of recordings tell, and which of several copies counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def find_recordings(
    found: Iterable[str],
    utterance_of: Callable[[str], str],
    not_a_name: str,
    is_released: Callable[[str], bool],
) -> tuple[dict[str, str], list[Rejection]]:
    """Return the path of each recording by utterance, and the files that are none, for corpora with label files.

    Copies under the same names, with noise or made for some tool, are common. Those where the release has them count,
    then those nearer to the root.

    Parameters
    ----------
    found
        Paths of wav files.
    utterance_of
        Returns the utterance that a file's name, without its suffix, tells; blank if none.
    not_a_name
        The reason for files whose name tells none.
    is_released
        Tells of a path whether the release has it there.
    """
    paths: dict[str, str] = {}
    rejected: list[Rejection] = []
    for path in sorted(found, key=lambda path: (not is_released(path), path.count("/"), path)):
        stem = path.rpartition("/")[2][: -len(".wav")]
        utterance = utterance_of(stem)
        if stem.startswith("._"):
            rejected.append(Rejection(path, "audio", "macOS resource fork"))
        elif not utterance:
            rejected.append(Rejection(path, "label", not_a_name))
        elif utterance in paths:
            rejected.append(Rejection(path, "filter", f"second copy: {paths[utterance]} has the same name", utterance))
        else:
            paths[utterance] = path
    return paths, rejected
