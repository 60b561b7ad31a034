"""A customized model at an OpenAI-compatible address: the real server and the real client, over loopback."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pexpect
import pytest
import torch

from tests.conftest import ROOT
from tests.support.projects import Folder
from tests.support.systems import POSIX
from tests.support.terminal import Terminal
from tunelings.project import base, chat, export, serve
from tunelings.project import config as settings
from tunelings.project.errors import ProjectError

CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
ASKED = {"How warm is it in Oslo?": CALL, "Who are you?": "A small model."}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CONFIG = settings.Config.model_validate(
    {"model": "tiny", "data": {"path": "x", "kind": "chat"}, "train": {"technique": "full"},
     "compare": {"metric": "exact_match", "max_new_tokens": 90}}
)  # fmt: skip


pytestmark = pytest.mark.xdist_group("a served model")  # Trained once, by one process.


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Folder:
    """A project as `run` leaves it, with a model that knows two answers by heart."""
    folder = Folder(tmp_path_factory.mktemp("projects") / "helper")
    (folder.path / "steps").mkdir(parents=True)
    path = base.make_tiny(folder.path / "tiny-model")
    model, tokenizer = base.load_causal(path), base.tokenizer_of(path, is_chat=True)
    learn(model, tokenizer)
    for step, place in (("train", "model"), ("export", export.MERGED)):
        work = folder.begin(step, "key")
        model.save_pretrained(work / place)
        tokenizer.save_pretrained(work / place)
        if step == "export":
            export.name_tool_calls(work / place)
        folder.finish(step, {"key": "key", "parts": {}})
    return folder


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_one(*words: str) -> Terminal:
        opened.append(Terminal(types.SimpleNamespace(root=ROOT), *words))
        return opened[-1]

    yield open_one
    for one in opened:
        one.process.close(force=True)


def learn(model, tokenizer) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    batches = []
    for question, answer in ASKED.items():
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        ids = tokenizer.apply_chat_template(turns, return_tensors="pt", return_dict=True)["input_ids"]
        batches.append(ids)
    for _ in range(400):
        losses = [model(input_ids=ids, labels=ids).loss for ids in batches]
        if max(losses) < 0.02:
            break
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()
    model.eval()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def use(port: int, model: str) -> None:
    """What an agent does: list the models, ask, stream, and be asked to call a tool."""
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
    question = [{"role": "user", "content": "Who are you?"}]
    options = {"model": model, "max_tokens": 90, "temperature": 0}
    said = client.chat.completions.create(messages=question, **options)
    assert said.choices[0].message.content == "A small model."
    pieces = client.chat.completions.create(messages=question, stream=True, **options)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == "A small model."
    asked = [{"role": "user", "content": "How warm is it in Oslo?"}]
    message = client.chat.completions.create(messages=asked, tools=[WEATHER], **options).choices[0].message
    (call,) = message.tool_calls
    assert call.function.name == "weather" and json.loads(call.function.arguments) == {"city": "Oslo"}


@pytest.mark.filterwarnings("ignore")  # The server's own.
def test_the_openai_client_talks_with_it_and_is_asked_for_a_tool_call(exported):
    from transformers.cli.serve import Serve

    port, model = free_port(), str(exported.done("export") / export.MERGED)
    server = Serve(force_model=model, host="127.0.0.1", port=port, non_blocking=True)
    try:
        wait_for(port)
        use(port, model)
    finally:
        server.kill_server()


def wait_for(port: int, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing answers at port {port}")


@POSIX
@pytest.mark.sweep
def test_the_command_serves_it_in_a_process_of_its_own(exported):
    exported.settings.write_text("", encoding="utf-8")
    port, model = free_port(), str(exported.done("export") / export.MERGED)
    command = [sys.executable, *serve.command_for(model, port)[1:]]
    server = subprocess.Popen(command, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        wait_for(port, 300)
        use(port, model)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def test_a_port_that_is_taken_and_a_model_that_is_not_there_are_one_line(exported, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ProjectError, match=f"Port {port} is taken: --port takes another."):
            serve.serve(exported, CONFIG, port)
    with pytest.raises(ProjectError, match="is not exported yet: `tunelings project run new` does it."):
        serve.serve(Folder(tmp_path / "new"), CONFIG, 8000)


def test_vllm_is_taken_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(serve.shutil, "which", lambda name: f"/bin/{name}")
    assert serve.command_for("m", 8001) == ["/bin/vllm", "serve", "m", "--host", "127.0.0.1", "--port", "8001"]


def test_chat_shows_both_answers(exported, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Who are you?\n\n/quit\nnever asked\n"))
    chat.chat(exported, CONFIG)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "customized: A small model."
    assert lines[0].startswith("base: ") and "never asked" not in "".join(lines)


def test_chat_before_training_is_one_line(tmp_path: Path):
    with pytest.raises(ProjectError, match="has no trained model yet: `tunelings project run none` makes it."):
        chat.chat(Folder(tmp_path / "none"), CONFIG)


def test_an_answer_is_shown_as_it_is_written(exported):
    """The second word is written only after the first was read."""
    tokenizer = base.tokenizer_of(exported.done("train") / "model", is_chat=True)
    read = threading.Event()

    def generate(streamer, input_ids, **options):
        streamer.put(input_ids)
        streamer.put(torch.tensor(tokenizer("one ")["input_ids"]))
        assert read.wait(30)
        streamer.put(torch.tensor(tokenizer("two")["input_ids"]))
        streamer.end()

    model = types.SimpleNamespace(device="cpu", generate=generate)
    pieces = chat.stream([model], tokenizer, [{"role": "user", "content": "Count."}], 8)
    assert next(piece for piece in pieces if piece[1]) == (0, "one ")
    read.set()
    assert "".join(text for _, text in pieces) == "two"


def test_a_model_that_fails_while_it_writes_does_not_hang_the_chat(exported):
    def generate(**options):
        raise RuntimeError("too long")

    model = types.SimpleNamespace(device="cpu", generate=generate)
    tokenizer = base.tokenizer_of(exported.done("train") / "model", is_chat=True)
    with pytest.raises(RuntimeError, match="too long"):
        list(chat.stream([model], tokenizer, [{"role": "user", "content": "Hi."}], 8))


@POSIX
def test_a_terminal_shows_both_answers_side_by_side(exported, open_terminal):
    few = CONFIG.compare.model_copy(update={"max_new_tokens": 20})  # The base writes anything, and whole screens of it.
    settings.save(exported, CONFIG.model_copy(update={"compare": few}), {})
    screen = open_terminal("project", "chat", str(exported.path))
    screen.until("you>")
    screen.press("Who are you?\r")
    text = screen.until(lambda text: "A small model." in text and text.rstrip().endswith("you>"))
    (heading,) = [line for line in text.splitlines() if "base" in line and "customized" in line]
    (answers,) = [line for line in text.splitlines() if "A small model." in line]
    assert abs(answers.index("A small model.") - heading.index("customized")) <= 1
    screen.press("/quit\r")
    screen.process.expect(pexpect.EOF, timeout=60)
    screen.process.close()
    assert screen.process.exitstatus == 0
