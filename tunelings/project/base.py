"""The model that a project begins with: find it, load it, and know its shape.

A name is one of the course's models, "tiny" (random weights, for trying the path in seconds), a folder, or a name on
the hub. Only safetensors are loaded, and no code of a model's own.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from tunelings.handson import models, precision
from tunelings.project.errors import ProjectError
from tunelings.project.folder import expanded

TINY = "tiny"
HUB_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]  # No pickled weights, and no code.
CHATML = """{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + \
'<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""


class Shape(NamedTuple):
    """What memory and choices depend on; `is_causal` is False for an encoder such as BERT."""

    parameters: int
    layers: int
    hidden: int
    vocab: int
    positions: int
    is_causal: bool
    linear: dict[str, tuple[int, int]]  # (out, in) of each linear layer outside the output head


def quiet() -> None:
    """No progress bars and warnings of the libraries between ours."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def resolve(name: str, cache: Path) -> Path:
    """The folder of a model.

    Args:
        cache: where the tiny model is made.

    Raises:
        ProjectError: there is no such model, or no network to get it by.
    """
    expanded(name, cache)  # A ProjectError where it names a home folder that isn't there.
    if name == TINY:
        return make_tiny(cache / "tiny-model")
    is_folder = name.startswith(("/", ".", "~")) or Path(name).exists()
    if models.known(name) or is_folder or name.count("/") != 1:
        try:
            return models.find(name)
        except FileNotFoundError as error:
            raise ProjectError(str(error)) from None
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES))
    except Exception as error:  # No network, no such name, not allowed: each is another class.
        said = (str(error).splitlines() or [""])[0][:160]
        raise ProjectError(
            f"{name} can't be downloaded from the Hub ({said}): check the network, or give a local folder."
        ) from None


def make_tiny(folder: Path) -> Path:
    """A Llama of 0.2 M random parameters that reads bytes and has a chat template; the same each time."""
    if (folder / "config.json").exists():
        return folder
    import shutil

    import torch
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers import models as kinds
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "user", "assistant", "system"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(kinds.BPE({token: number for number, token in enumerate([*special, *alphabet])}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(special[:3])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", bos_token="<|im_start|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = CHATML
    config = LlamaConfig(
        vocab_size=len(special) + len(alphabet), hidden_size=64, intermediate_size=176, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=4096, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    scratch = folder.with_name(f".{folder.name}")
    shutil.rmtree(scratch, ignore_errors=True)
    model.save_pretrained(scratch)
    tokenizer.save_pretrained(scratch)
    os.replace(scratch, folder)
    return folder


def tokenizer_of(path: Path, *, is_chat: bool, to_count: bool = False) -> Any:
    """The model's tokenizer; one that answers needs a chat template and an end token.

    Args:
        to_count: it only counts tokens. Where the folder has a tokenizer.json, torch and its hundreds of megabytes are
            then not loaded.

    Raises:
        ProjectError: there is no tokenizer, or no chat template.
    """
    if to_count and (path / "tokenizer.json").is_file():
        from transformers.tokenization_utils_tokenizers import PreTrainedTokenizerFast as Tokenizer
    else:
        from transformers import AutoTokenizer as Tokenizer

    try:
        tokenizer = Tokenizer.from_pretrained(path)
    except Exception as error:  # Whatever is damaged in it.
        said = (str(error).splitlines() or [""])[0][:160]
        raise ProjectError(f"{path} has no tokenizer that can be loaded: {said}.") from None
    if is_chat and not tokenizer.chat_template:
        raise ProjectError(
            f"{path.name} has no chat template: take a chat model (…-Instruct), or put its chat_template.jinja "
            f'into {path}; for texts with labels, head = "classifier" needs none.'
        )
    if is_chat and tokenizer.eos_token is None:
        raise ProjectError(f"{path.name} has no end token (eos_token), so its answers would never end.")
    return tokenizer


def shape_of(path: Path) -> Shape:
    """The model's shape, counted without its weights."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(path)
        names = config.architectures or []
        is_causal = any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names)
        with torch.device("meta"):
            model = (AutoModelForCausalLM if is_causal else AutoModel).from_config(config)
    except Exception as error:  # Whatever is damaged in it, or needs code of its own.
        said = (str(error).splitlines() or [""])[0][:160]
        raise ProjectError(f"{path} can't be loaded as a model: {said}.") from None
    head = model.get_output_embeddings() if is_causal else None
    linear = {
        name: (module.out_features, module.in_features)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    return Shape(
        sum(parameter.numel() for parameter in model.parameters()),
        int(config.num_hidden_layers),
        int(config.hidden_size),
        int(config.vocab_size),
        int(getattr(config, "max_position_embeddings", 0) or 0),
        is_causal,
        linear,
    )


def device() -> str:
    """The device of a single process."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load_causal(path: Path, *, dtype: Any = None) -> Any:
    """The base on its device, in a dtype of torch; for answering, if none is named: 16 bits on a GPU, else float32."""
    from transformers import AutoModelForCausalLM

    where = device()
    wanted = dtype or precision.model_dtype(where, trains=False)
    return AutoModelForCausalLM.from_pretrained(path, dtype=wanted, use_safetensors=True).to(where).eval()


def load_customized(path: Path, trained: Path) -> Any:
    """The base with what training has made of it, for answering."""
    if (trained / "adapter_config.json").exists():
        from peft import PeftModel

        return PeftModel.from_pretrained(load_causal(path), str(trained)).eval()
    return load_causal(trained)


def files_hash(path: Path) -> str:
    """What tells one model from another: names, sizes and the config; the weights are not read."""
    import hashlib

    digest = hashlib.sha256()
    for file in sorted(path.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            digest.update(f"{file.name} {file.stat().st_size}\n".encode())
    with contextlib.suppress(OSError, ValueError):
        digest.update(json.dumps(json.loads((path / "config.json").read_text(encoding="utf-8"))).encode())
    return digest.hexdigest()[:16]
