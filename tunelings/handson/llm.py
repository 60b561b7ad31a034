"""Language models as plain functions from a prompt to a reply: a local one, or one behind a server.

The exercises ask for `Callable[[str], str]`, so that a scripted function, a local model and a server are the same.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

Ask = Callable[[str], str]


class NoReply(Exception):
    """A server did not answer as it should; the message is one line."""


def local(folder: Path, *, max_new_tokens: int = 160, temperature: float = 0.9, seed: int = 0) -> Ask:
    """The chat model in `folder`, one user turn at a time; it samples, so the same prompt gets different replies."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32 if device == "cpu" else "auto").to(device)
    model.eval()
    torch.manual_seed(seed)

    def ask(prompt: str) -> str:
        turn = [{"role": "user", "content": prompt}]
        batch = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        batch = batch.to(model.device)
        options = {"do_sample": temperature > 0, "temperature": temperature if temperature > 0 else None}
        with torch.no_grad():
            ids = model.generate(**batch, max_new_tokens=max_new_tokens, pad_token_id=tokenizer.eos_token_id, **options)
        return tokenizer.decode(ids[0, batch["input_ids"].shape[1] :], skip_special_tokens=True)

    return ask


def on_server(url: str, name: str, *, timeout: float = 120, max_tokens: int = 400) -> Ask:
    """The model `name` at `url` (…/v1), by OpenAI's chat protocol; a key is read from OPENAI_API_KEY.

    Protocol: https://platform.openai.com/docs/api-reference/chat. A server that does not answer as it should is a
    NoReply.
    """
    endpoint = f"{url.rstrip('/')}/chat/completions"
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"

    def ask(prompt: str) -> str:
        body = {"model": name, "messages": [{"role": "user", "content": prompt}], "max_tokens": max_tokens}
        request = urllib.request.Request(endpoint, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                reply = json.load(response)["choices"][0]["message"]["content"]
        except urllib.error.HTTPError as error:
            error.close()
            raise NoReply(f"{endpoint} answers {error.code} {error.reason}") from None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise NoReply(f"{endpoint} gives no reply: {error!r}") from None
        return reply or ""

    return ask
