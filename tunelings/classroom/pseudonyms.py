"""Names that tell nothing: a salted hash of each name, the same in every run over one folder of results."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from tunelings.classroom.outputs import PRIVATE, make_folder, put

SALT = ".salt"
DIGITS = 8


def salt_of(out: Path) -> bytes:
    """The salt of a folder of results, made where there is none; it is as private as the key."""
    path = out / SALT
    make_folder(out)
    if not path.exists():
        put(path, secrets.token_hex(16), PRIVATE)
    return path.read_bytes()


def pseudonyms(names: Iterable[str], salt: bytes) -> dict[str, str]:
    """A pseudonym for each name, such as "student-3f9c21ab"; longer where two would be the same."""
    names = list(dict.fromkeys(names))
    for digits in range(DIGITS, 65):
        made = {name: f"student-{_hash(name, salt)[:digits]}" for name in names}
        if len(set(made.values())) == len(names):
            return made
    raise ValueError("two names are the same when they are normalized")


def _hash(name: str, salt: bytes) -> str:
    plain = unicodedata.normalize("NFC", name).casefold()
    return hmac.new(salt, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
