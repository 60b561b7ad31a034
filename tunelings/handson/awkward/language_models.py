"""Small language models and tokenizers of transformers that are not like the comfortable ones in `tiny`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers import models as tokenizer_models
from torch import nn
from transformers import AutoModelForCausalLM, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from tunelings.handson import tiny


# ---------------------------------------------------------------- models
def causal(family: str, seed: int, layers: int = 1, **options) -> PreTrainedModel:
    """A causal model of "Llama", "Phi", "Qwen2" or "GPT-2" (learned positions, Conv1D), 31 tokens, in eval mode."""
    with tiny.seeded(seed):
        return AutoModelForCausalLM.from_config(tiny.family_config(family, layers, **options)).eval()


def untied_twin(seed: int, **options) -> LlamaForCausalLM:
    """A Llama whose head is a matrix of its own that holds the embedding's numbers: equal and not tied."""
    model = tiny.llama(seed, tie_word_embeddings=False, **options)
    with torch.no_grad():
        model.lm_head.weight.copy_(model.get_input_embeddings().weight)
    return model


def cut_short(encoder: PreTrainedModel, layers: int) -> PreTrainedModel:
    """The model with its first `layers` layers, in place; the config goes on saying how many there were."""
    (stack,) = [
        module
        for name, module in encoder.named_modules()
        if isinstance(module, nn.ModuleList) and name.rpartition(".")[2] in ("layer", "layers", "h")
    ]
    del stack[layers:]
    return encoder


def with_added_parts(model: nn.Module, hidden: int) -> nn.Module:
    """The model with parts that somebody has added under names that look like its own, in place."""
    model.extra_embeddings = nn.Embedding(3, hidden)
    model.adapter = nn.ModuleDict({"layer": nn.ModuleList([nn.Linear(hidden, hidden)])})
    model.scale = nn.Parameter(torch.ones(hidden))
    return model


def another_encoder(hidden: int) -> nn.Module:
    """A part whose names go on as those in a BERT do: "encoder.layer.0.weight"."""
    layer = nn.ModuleList([nn.Linear(hidden, hidden, bias=False)])
    return nn.ModuleDict({"encoder": nn.ModuleDict({"layer": layer})})


def saved(model: PreTrainedModel, folder: Path, dtype: torch.dtype) -> Path:
    """The folder of the model in this dtype, as `save_pretrained` writes it; the model itself is not changed."""
    copy.deepcopy(model).to(dtype).save_pretrained(folder)
    return folder


def saved_body(model: PreTrainedModel, folder: Path) -> Path:
    """A folder with the model without its head, as feature extractors are published."""
    model.base_model.save_pretrained(folder)
    return folder


# ---------------------------------------------------------------- tokenizers
def metaspace_tokenizer(words: list[str], **options) -> PreTrainedTokenizerFast:
    """Words with Llama's prefix marker: "▁plum"; a text begins with one that was not in it."""
    tokens = ["<unk>", "<pad>", "<s>", "</s>", "▁", *(f"▁{word}" for word in words), *words]
    backend = Tokenizer(tokenizer_models.WordLevel({token: i for i, token in enumerate(tokens)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    named = {"unk_token": "<unk>", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **{**named, **options})


def byte_tokenizer(template: str, special: Sequence[str]) -> PreTrainedTokenizerFast:
    """A token for each byte, so that a letter is one to four of them, and each blank is one; ChatML's end token."""
    vocabulary = {token: number for number, token in enumerate(special)}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[character] = len(vocabulary)
    backend = Tokenizer(tokenizer_models.BPE(vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return tiny.finished_chat(backend, "<pad>", special=special, template=template, end=tiny.END)


def awkwardly_set(
    tokenizer: PreTrainedTokenizerFast, max_length: int = 5, *, mask: bool = False
) -> PreTrainedTokenizerFast:
    """A copy that truncates and pads on the left, says a short `model_max_length`, and returns no mask by itself.

    With `mask` it returns one, for a contract that does not speak of tokenizers without.
    """
    changed = copy.deepcopy(tokenizer)
    changed.truncation_side = changed.padding_side = "left"
    changed.model_max_length = max_length
    changed.model_input_names = ["input_ids", "attention_mask"] if mask else ["input_ids"]
    return changed
