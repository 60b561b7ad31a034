"""An OpenAI-compatible address on this machine: vLLM where it is installed, else `transformers serve`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys

from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.export import MERGED
from tunelings.project.folder import Folder

HOST = "127.0.0.1"  # This machine alone; whoever opens it to others does so knowingly.


def serve(folder: Folder, config: Config, port: int) -> int:
    """Serve the merged model until Ctrl-C; returns the server's exit status.

    Raises:
        ProjectError: nothing is exported yet, the model is a classifier, the port is taken, or no server is installed.
    """
    if config.train.head == "classifier":
        raise ProjectError(f"{folder.name} is a classifier and writes no text: `tunelings project chat` asks it.")
    merged = folder.done("export") / MERGED
    if folder.result("export") is None:
        raise ProjectError(f"{folder.name} is not exported yet: `tunelings project run {folder.name}` does it.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ProjectError(f"Port {port} is taken: --port takes another.") from None
    command = command_for(str(merged), port)
    serves = f"http://{HOST}:{port}/v1 serves {folder.name} in a few seconds, as model {merged}"
    print(f"{serves}. Ctrl-C stops it.", flush=True)
    try:
        # A server's own settings for the hub would reach for the network.
        return subprocess.run(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}).returncode
    except KeyboardInterrupt:
        return 0


def command_for(merged: str, port: int) -> list[str]:
    if vllm := shutil.which("vllm"):
        return [vllm, "serve", merged, "--host", HOST, "--port", str(port)]
    if missing := [name for name in ("fastapi", "uvicorn", "openai") if importlib.util.find_spec(name) is None]:
        raise ProjectError(
            f"No server is installed ({', '.join(missing)} missing): pip install 'transformers[serving]', or vllm."
        )
    run = "from transformers.cli.transformers import main; main()"
    return [sys.executable, "-c", run, "serve", merged, "--host", HOST, "--port", str(port)]
