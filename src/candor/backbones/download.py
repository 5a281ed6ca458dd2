"""A file from an address: taken up where it stopped, tried again where that may help, never half of it.

While a file is on its way, it lies beside its place as ``<name>.part``, with a note of its address and of the version
that the server gave it. A later run asks for the rest of that version only.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import logging
import os
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any, TypeVar

from candor.runtime import Progress
from candor.tables.base import write_json

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

PIECE = 1 << 20
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that another try may change."""

WEB_PAGES = ("text/html", "application/xhtml+xml")


class Unreachable(RuntimeError):  # noqa: N818 - a reason that the caller puts into a sentence of its own
    """An address does not yield a file; the message says why, as the end of a sentence."""


class _Passing(RuntimeError):  # noqa: N818
    """What another try may mend; `wait` is how long the server asks for."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Patience:
    """How long one waits for a server.

    Parameters
    ----------
    waits
        Seconds before each further try. Tries that bring a file further do not count.
    longest
        The longest wait that a server may ask for.
    timeout
        Seconds without any answer before a try is given up.
    sleep
        What waits.
    """

    waits: tuple[float, ...] = (1.0, 4.0, 15.0, 45.0)
    longest: float = 600.0
    timeout: float = 30.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Arrival:
    """What a server tells of a file.

    Parameters
    ----------
    revision
        The commit on the hub, else the ETag; empty where neither is told.
    sha256
        The hash that the hub says it has; empty elsewhere.
    """

    revision: str
    sha256: str


def download(address: str, target: Path, patience: Patience, token: str | None = None) -> Arrival:
    """Fetch a file to `target`, where it appears once it is whole.

    Parameters
    ----------
    address
        Begins with https:// or http://.
    target
        The file to make; its folder exists.
    patience
        How often to try, and how long to wait.
    token
        Proves to the server who asks; it is not passed on where the server sends one elsewhere.
    """
    part = target.with_name(target.name + ".part")
    note = target.with_name(target.name + ".part.json")
    arrival = _persist(lambda: _receive(address, part, note, patience, token), address, patience, lambda: _size(part))
    os.replace(part, target)
    note.unlink()
    return arrival


def read_json(address: str, patience: Patience, token: str | None = None) -> Any:
    """Return what an address says in JSON."""

    def ask() -> Any:
        with _opened(address, {"Accept": "application/json"}, patience.timeout, token) as (response, _):
            text = b"".join(_pieces(response))
        try:
            return json.loads(text)
        except ValueError:
            raise Unreachable("it yields something else than JSON, perhaps the page of a log-in") from None

    return _persist(ask, address, patience, lambda: 0)


def _persist(attempt: Callable[[], Result], address: str, patience: Patience, reached: Callable[[], int]) -> Result:
    """Try until it is done, cannot be done, or brings nothing further although it was tried often enough."""
    furthest, tries = reached(), 0
    while True:
        try:
            return attempt()
        except _Passing as trouble:
            if reached() > furthest:
                furthest, tries = reached(), 0
            if tries == len(patience.waits):
                raise Unreachable(f"{trouble}, in {tries + 1} tries") from None
            wait = patience.waits[tries] if trouble.wait is None else trouble.wait
            if wait > patience.longest:
                raise Unreachable(f"{trouble}, and its server asks to wait for {wait:.0f} s") from None
            logger.info("%s: %s; trying again in %.0f s", address, trouble, wait)
            patience.sleep(wait)
            tries += 1


def _receive(address: str, part: Path, note: Path, patience: Patience, token: str | None) -> Arrival:
    """Bring `part` as far as the connection lasts; return when it is whole."""
    version = _version_of(note, address)
    start = _size(part) if version else 0
    # A compressed answer would have another length than the file.
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": version}
    try:
        with _opened(address, headers, patience.timeout, token) as (response, told):
            if response.headers.get_content_type() in WEB_PAGES:
                raise Unreachable("it yields a web page and not a file, perhaps that of a log-in")
            resumed = response.status == http.client.PARTIAL_CONTENT
            if resumed and not (response.headers["Content-Range"] or "").startswith(f"bytes {start}-"):
                raise _Passing("the server sent another piece than the one asked for")
            if not resumed:
                start = 0
                part.unlink(missing_ok=True)
                write_json({"address": address, "version": _validator(response.headers)}, note)
            length = response.headers["Content-Length"]
            total = start + int(length) if length is not None else None
            with part.open("ab") as handle:
                _write(response, handle, start, total, part.name.removesuffix(".part"))
    except _RangeRefused:
        part.unlink(missing_ok=True)
        raise _Passing("what was there of it is not a part of it") from None
    if total is not None and _size(part) != total:
        raise _Passing(f"the connection ended after {_size(part)} of {total} bytes")
    return _arrival(told, response.headers)


def _write(response: http.client.HTTPResponse, handle: IO[bytes], start: int, total: int | None, what: str) -> None:
    """Append what a server sends, and tell how far it is."""
    arrived, megabytes = start, (total or 0) // PIECE
    with Progress(megabytes, what, "megabyte") as progress:
        for piece in _pieces(response):
            handle.write(piece)
            arrived += len(piece)
            if megabytes:
                progress.advance(arrived // PIECE - progress.done)
    handle.flush()
    os.fsync(handle.fileno())


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield what comes, until it ends or breaks off."""
    while True:
        try:
            piece = response.read1(PIECE)
        except (OSError, http.client.HTTPException) as error:
            raise _Passing(f"the connection broke ({_words(error)})") from None
        if not piece:
            return
        yield piece


class _RangeRefused(RuntimeError):  # noqa: N818
    """The server has no such part of the file."""


class _Trail(urllib.request.HTTPRedirectHandler):
    """Follows where a server points to, and keeps what each says: the hub tells of a file before it points away."""

    def __init__(self) -> None:
        self.told: list[Message] = []

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        self.told.append(headers)
        if req.full_url.startswith("https://") and not newurl.startswith("https://"):
            raise Unreachable(f"its server points to {newurl}, which anybody on the way could change")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _opened(
    address: str, headers: Mapping[str, str], timeout: float, token: str | None
) -> Iterator[tuple[http.client.HTTPResponse, list[Message]]]:
    """Ask for an address; yield the answer, and what servers on the way to it said."""
    request = urllib.request.Request(address, headers={"User-Agent": "candor", **headers})
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    trail = _Trail()
    try:
        response = urllib.request.build_opener(trail).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise _meaning_of(error) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise Unreachable(f"the certificate of its server is not trusted ({reason.verify_message})") from None
        if isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_NONAME:
            raise Unreachable(f"its server is not known here ({_words(reason)})") from None
        raise _Passing(_words(reason)) from None
    with response:
        yield response, trail.told


def _meaning_of(error: urllib.error.HTTPError) -> Exception:
    """Return what an answer other than the file means."""
    answer = f"HTTP {error.code} {error.reason}"
    if error.code in PASSING:
        return _Passing(answer, _seconds(error.headers["Retry-After"]))
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _RangeRefused()
    if error.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return Unreachable(
            f"access is refused ({answer}). Check the name; if there is a licence to accept, accept it on the page of "
            "the model, and set HF_TOKEN to a token of yours"
        )
    if error.code in (http.client.NOT_FOUND, http.client.GONE):
        return Unreachable(f"there is nothing at this address ({answer})")
    return Unreachable(answer)


def _seconds(retry_after: str | None) -> float | None:
    """Return how long the header Retry-After asks to wait: it holds seconds or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None


def _arrival(told: list[Message], last: Message) -> Arrival:
    headers = [*told, last]
    commit = next((value for said in headers if (value := said["X-Repo-Commit"])), "")
    linked = next((value for said in headers if (value := said["X-Linked-Etag"])), "").strip('"')
    tag = (last["ETag"] or "").removeprefix("W/").strip('"')
    return Arrival(commit or tag, linked if re.fullmatch("[0-9a-f]{64}", linked) else "")


def _validator(headers: Message) -> str:
    """Return by what a server knows this version again; a weak ETag does not stand for the same bytes."""
    tag = headers["ETag"] or ""
    return tag if tag and not tag.startswith("W/") else headers["Last-Modified"] or ""


def _version_of(note: Path, address: str) -> str:
    """Return the version of what has come so far from this address; empty if there is nothing to go on with."""
    try:
        noted = json.loads(note.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return ""
    return str(noted["version"]) if noted["address"] == address else ""


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _words(error: object) -> str:
    return str(error) or type(error).__name__
