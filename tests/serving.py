"""The HTTP face in the test's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from citybrain.http_face.engine import Answer, Engine
from citybrain.http_face.request import Request
from citybrain.http_face.server import Answering, FaceServer


@contextmanager
def serving(folder: Path, around: Callable[[Answering, Request], Answer] | None = None, password: str = "") -> Iterator[str]:
    """URL of a face over the folder. `around` is called in place of the engine, and given it: it may fail, wait or go on."""
    with closing(Engine(folder)) as engine:
        answer = engine.run if around is None else lambda request: around(engine.run, request)
        face = FaceServer(answer, password=password, version=engine.version)
        face.start()
        try:
            yield f"http://127.0.0.1:{face.port}/"
        finally:
            face.stop()
