"""How the C library deals with freed memory."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
"""Numbers of mallopt() in glibc's malloc.h."""


def keep_freed_memory() -> None:
    """Let this process keep the memory it frees, for what it allocates next.

    glibc maps every large tensor anew and gives it back when it is freed; to have the kernel clear the same pages
    again for every batch costs more time than much of the arithmetic on them. The process stays as large as it once
    was. Without glibc this does nothing.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def most_memory() -> int:
    """Return the most bytes that this process has had in memory at once; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # no Unix
        return 0
    unit = 1 if platform.system() == "Darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
