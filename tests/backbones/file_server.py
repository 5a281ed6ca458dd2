"""A server on this machine that says what a test tells it to, as a hub or any other source of weights would."""

import hashlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from candor.tables.backbones import Weights

BODY = bytes(range(256)) * 40
COMMIT = "5" * 40


@dataclass
class Answer:
    """What the server says once: `cut` ends the connection after so many bytes, `whole` sends no parts of a file."""

    body: bytes = BODY
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"v1"'})
    cut: int | None = None
    whole: bool = False


class Server(ThreadingHTTPServer):
    """Answers as it is told; the last answer for a path is repeated."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def say(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return f"{self.address}{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that hangs up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """Serves parts of a file as RFC 9110 says: only of the version that is asked for."""

    server: Server
    refused: ClassVar[Answer] = Answer(b"", 404, {})

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        queue = self.server.answers.get(self.path, [self.refused])
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        start, status, headers = 0, answer.status, dict(answer.headers)
        wanted = self.headers.get("Range")
        if wanted and status == 200 and not answer.whole and self.headers.get("If-Range") == headers.get("ETag"):
            start, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            headers["Content-Range"] = f"bytes {start}-{len(answer.body) - 1}/{len(answer.body)}"
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body) - start))
        self.end_headers()
        self.wfile.write(answer.body[start : None if answer.cut is None else start + answer.cut])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def table(rows: list[dict[str, Any]], folder: Path) -> pd.DataFrame:
    """Return the rows as a later job reads them."""
    Weights.write(rows, folder.parent / "weights.tsv")
    return Weights.read(folder.parent / "weights.tsv")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
