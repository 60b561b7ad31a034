"""A model behind a server, and a local one, are functions from a prompt to a reply."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from tunelings.handson import llm


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as OpenAI's protocol says, or as `reply` of the server says."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, self.headers.get("Authorization")))
        status, text = self.server.reply
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    running = http.server.HTTPServer(("127.0.0.1", 0), Server)
    running.asked, running.reply = [], (200, json.dumps({"choices": [{"message": {"content": "Grüße"}}]}))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def url(server) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1/"


def test_a_server_is_asked_by_the_chat_protocol(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert llm.on_server(url(server), "small")("Say hello.") == "Grüße"
    ((path, body, key),) = server.asked
    assert path == "/v1/chat/completions" and key == "Bearer secret"
    assert body["model"] == "small" and body["messages"] == [{"role": "user", "content": "Say hello."}]


def test_without_a_key_none_is_sent(server, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    llm.on_server(url(server), "small")("Hello")
    assert server.asked[0][2] is None


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((429, "slow down"), "answers 429"),
        ((200, "no JSON"), "gives no reply"),
        ((200, '{"choices": []}'), "gives no reply"),
        ((200, '{"error": "no such model"}'), "gives no reply"),
    ],
)
def test_a_server_that_fails_is_one_line(server, reply, says):
    server.reply = reply
    with pytest.raises(llm.NoReply) as raised:
        llm.on_server(url(server), "small")("Hello")
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_a_server_that_is_not_there_is_one_line():
    with pytest.raises(llm.NoReply, match="gives no reply"):
        llm.on_server("http://127.0.0.1:9/v1", "small", timeout=2)("Hello")


def test_a_local_model_replies_with_new_text_only(tmp_path):
    from tunelings.handson import tiny

    tiny.llama(0).save_pretrained(tmp_path)
    tiny.chat_tokenizer().save_pretrained(tmp_path)
    ask = llm.local(tmp_path, max_new_tokens=5, seed=1)
    reply = ask("kiwi plum")
    assert isinstance(reply, str) and len(reply.split()) <= 5
    assert llm.local(tmp_path, max_new_tokens=5, seed=1)("kiwi plum") == reply
