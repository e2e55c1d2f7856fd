"""The file of tokens: who may ask the view, kept as hashes; and whether the view may listen without any."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from schemas.catalogue.models import Catalogue
from schemas.errors import BadSettings
from view.who import Scope, Token, check_grant, digest_of, new_secret

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ENTRIES: TypeAdapter[list[Token]] = TypeAdapter(list[Token])


def check_bind(host: str, tokens: list[Token]) -> None:
    """BadSettings: others than this machine could ask, and nobody would have to say who they are."""
    if host not in LOOPBACK and not tokens:
        message = (
            f"CITYBRAIN_VIEW__HOST is {host!r}, and there is no token: beyond loopback everybody has to say who asks. Make one with "
            "`citybrain view token new NAME --scope city`, and name its file with CITYBRAIN_VIEW__TOKENS"
        )
        raise BadSettings(message)


def read_tokens(path: Path | None, catalogue: Catalogue) -> list[Token]:
    """Entries of the token file; none without one. BadSettings names what is wrong, never a secret."""
    if path is None:
        return []
    try:
        tokens = ENTRIES.validate_python(json.loads(path.read_text(encoding="utf-8"))["tokens"], strict=False)
        for token in tokens:
            check_grant(Scope.parse(token.scope, catalogue), duty=token.duty)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        message = f"token file {path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise BadSettings(message) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"token file {path}: {error}; wanted what `citybrain view token new` writes"
        raise BadSettings(message) from error
    return tokens


def add_token(path: Path, name: str, scope: Scope, catalogue: Catalogue, *, duty: bool) -> str:
    """Put a new token into the file and give its secret, which is kept nowhere. BadSettings: the name is taken."""
    tokens = read_tokens(path, catalogue) if path.exists() else []
    if any(token.name == name for token in tokens):
        message = f"token file {path}: {name!r} is taken; names say in the access log who asked"
        raise BadSettings(message)
    secret = new_secret()
    try:
        check_grant(scope, duty=duty)
        entry = Token(name=name, sha256=digest_of(secret), scope=str(scope), duty=duty, created=datetime.now(UTC))
    except (ValidationError, ValueError) as error:
        message = f"token {name!r}: {error}"
        raise BadSettings(message) from error
    _write(path, [*tokens, entry])
    return secret


def _write(path: Path, tokens: list[Token]) -> None:
    """Whole or not at all, and for the owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps({"tokens": [token.model_dump(mode="json") for token in tokens]}, indent=1), encoding="utf-8")
    fresh.replace(path)
