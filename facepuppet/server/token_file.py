"""Who may come in: tokens, from a file that the operator writes, or one made for this run.

[[token]]
name = "class 4b"            # for the log and the metrics
secret = "…"                 # at least 16 characters; or, so that the file tells no secret:
sha256 = "…"                 # of it, hexadecimal: printf %s SECRET | sha256sum
most_sessions = 20           # at once; as many as there are places if absent
joins_per_minute = 30        # 60 if absent
avatars = ["grace_hopper"]   # by name, or by their file's SHA-256; all of them if absent
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facepuppet.core.errors import ServerError

LEAST_SECRET, MOST_SECRET = 16, 256  # characters
_MOST_BYTES = 1_000_000
_MOST_TOKENS = 1000
_JOINS_PER_MINUTE = 60
_MOST_JOINS = 100_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = {"name", "secret", "sha256", "most_sessions", "joins_per_minute", "avatars"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """What lets somebody in, and how far.

    Attributes:
        name: for people.
        sha256: of the secret, 32 bytes.
        most_sessions: at once; None for no bound of its own.
        joins_per_minute: newcomers.
        avatars: names and SHA-256 of those it may wear; None for all.
    """

    name: str
    sha256: bytes
    most_sessions: int | None = None
    joins_per_minute: int = _JOINS_PER_MINUTE
    avatars: frozenset[str] | None = None

    def may_wear(self, name: str, sha256: str) -> bool:
        """Say whether it lets somebody wear a portrait."""
        return self.avatars is None or name in self.avatars or sha256 in self.avatars


@dataclass(frozen=True, slots=True)
class Tokens:
    """All that let in."""

    tokens: tuple[Token, ...]

    def find(self, secret: str) -> Token | None:
        """Return whose secret it is. How long that takes tells nothing of how near a guess was."""
        digest = secret_sha256(secret[: MOST_SECRET + 1])
        found = None
        for token in self.tokens:  # to the end in any case
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found


def one_token() -> tuple[Tokens, str]:
    """Make one for this run alone, which may do everything; return it with its secret, for the operator."""
    secret = secrets.token_urlsafe(24)
    return Tokens((Token("this run's", secret_sha256(secret), joins_per_minute=600),)), secret


def load_tokens(path: Path) -> Tokens:
    """Read the operator's file.

    Raises:
        ServerError: it cannot be read, or says something that this module's head does not tell.
    """
    try:
        with path.open("rb") as file:
            mode, data = os.fstat(file.fileno()).st_mode, file.read(_MOST_BYTES + 1)
        tables: Any = tomllib.loads(data.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:  # no UTF-8 and no TOML are ValueErrors
        raise _wrong(path, f"which cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(data) > _MOST_BYTES or set(tables) != {"token"} or not isinstance(tables["token"], list):
        raise _wrong(path, "which is no list of [[token]] tables")
    if not 0 < len(tables["token"]) <= _MOST_TOKENS:
        raise _wrong(path, f"with {len(tables['token'])} tokens, not 1 to {_MOST_TOKENS}")
    tokens = tuple(_token(path, i, table) for i, table in enumerate(tables["token"], start=1))
    for what, values in (("name", [t.name for t in tokens]), ("secret", [t.sha256 for t in tokens])):
        if len(set(values)) < len(values):
            raise _wrong(path, f"in which two tokens have the same {what}")
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077 and any("secret" in t for t in tables["token"]):
        log.warning("others on this machine can read the secrets in '%s': chmod 600 '%s'", path, path)
    return Tokens(tokens)


def _token(path: Path, number: int, table: Any) -> Token:
    where = f"in token {number}"
    if not isinstance(table, dict) or not set(table) <= _KEYS:
        unknown = sorted(set(table) - _KEYS) if isinstance(table, dict) else "no table"
        raise _wrong(path, f"which says {unknown} {where}")
    name = table.get("name")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name.strip()) <= 80:
        raise _wrong(path, f"without a name of 1 to 80 printable characters {where}")
    return Token(
        name.strip(),
        _sha256(path, where, table),
        _count(path, where, table, "most_sessions", 1_000_000),
        _count(path, where, table, "joins_per_minute", _MOST_JOINS) or _JOINS_PER_MINUTE,
        _avatars(path, where, table),
    )


def _sha256(path: Path, where: str, table: dict[str, Any]) -> bytes:
    secret, digest = table.get("secret"), table.get("sha256")
    if (secret is None) == (digest is None):
        raise _wrong(path, f"with neither or both of secret and sha256 {where}")
    if digest is not None:
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest.lower()):
            raise _wrong(path, f"whose sha256 is no 64 hexadecimal digits {where}")
        return bytes.fromhex(digest)
    if not isinstance(secret, str) or not LEAST_SECRET <= len(secret) <= MOST_SECRET:
        raise _wrong(path, f"whose secret has not {LEAST_SECRET} to {MOST_SECRET} characters {where}")
    return secret_sha256(secret)


def _count(path: Path, where: str, table: dict[str, Any], key: str, most: int) -> int | None:
    value = table.get(key)
    if value is not None and (type(value) is not int or not 1 <= value <= most):
        raise _wrong(path, f"whose {key} is no whole number from 1 to {most} {where}")
    return value


def _avatars(path: Path, where: str, table: dict[str, Any]) -> frozenset[str] | None:
    names = table.get("avatars")
    if names is None:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
        raise _wrong(path, f"whose avatars are no list of names {where}")
    return frozenset(names)


def secret_sha256(secret: str) -> bytes:
    """Return the digest by which a secret is known, 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _wrong(path: Path, what: str) -> ServerError:
    return ServerError(
        f"token file '{path}', {what}",
        "[[token]] tables with name, secret (or sha256 of it) and, if wanted, most_sessions, "
        "joins_per_minute and avatars",
        "Correct it; without --token-file one token is made for this run.",
    )
