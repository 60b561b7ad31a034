"""Tokenizers and models that are made in a second, the same each time: for checks, tests and short demonstrations.

Nothing is read from a disk or a network. A tokenizer's tokens are whole words, so that ids can be looked up by hand.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence

import torch
import transformers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
)

from tunelings.inputs import randint


# ---------------------------------------------------------------- tokenizers
def word_tokenizer(
    ids: Mapping[str, int], *, split: str | None = None, around: str = "$A", unknown: str = "<unk>", **options
) -> PreTrainedTokenizerFast:
    """A tokenizer that knows the words of `ids` and gives the others the id of `unknown`.

    Args:
        split: a regular expression for what is one token; without it texts are split at white space.
        around: what is put before and after a text ($A) when the tokenizer is called, such as "[CLS] $A [SEP]".
        options: those of PreTrainedTokenizerFast.
    """
    backend = Tokenizer(models.WordLevel(dict(ids), unk_token=unknown))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if split is not None:
        backend.pre_tokenizer = pre_tokenizers.Split(Regex(split), behavior="removed", invert=True)
    return finished(backend, around, **options)


def finished(backend: Tokenizer, around: str = "$A", **options) -> PreTrainedTokenizerFast:
    """The tokenizer of transformers around one of tokenizers; the arguments are those of `word_tokenizer`."""
    if ends := [token for token in around.split() if token != "$A"]:
        special = [(token, backend.token_to_id(token)) for token in ends]
        backend.post_processor = processors.TemplateProcessing(single=around, special_tokens=special)
    return PreTrainedTokenizerFast(tokenizer_object=backend, **options)


# ---------------------------------------------------------------- a chat
WORDS = [
    "kiwi", "plum", "fig", "lime", "pear", "date", "melon", "guava", "quince", "papaya", "mango", "peach",
    "apple", "grape", "olive", "cherry", "lemon", "berry", "nut", "banana", "apricot", "currant", "orange", "medlar",
]  # fmt: skip
HEADERS = ["\n", "system", "user", "assistant", "be", "brief"]
SPECIAL = ["<s>", "<|im_start|>", "<|im_end|>", "<pad>"]
END = "<|im_end|>"
IDS = {token: number for number, token in enumerate(["<unk>", *WORDS, *HEADERS, *SPECIAL])}
CHAT_TOKEN = r"\n|\w+|[^\w\s]"  # A newline, a word, a sign.

# As SmolLM2's: a system turn is put in where there is none, and a newline follows each end token.
CHATML = """{% if messages[0]['role'] != 'system' %}<|im_start|>system
be brief<|im_end|>
{% endif %}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
# As Llama 2's: the assistant has no header of its own, and each pair begins with <s>.
INST = """{% for message in messages %}{% if message['role'] == 'user' %}<s>[INST] {{ message['content'] }} [/INST] \
{% else %}{{ message['content'] }}</s>{% endif %}{% endfor %}"""


def chat_tokenizer(
    pad_token: str | None = END,
    *,
    ids: Mapping[str, int] = IDS,
    special: Sequence[str] = SPECIAL,
    template: str = CHATML,
    end: str = END,
    unknown: str = "<unk>",
    unk_token: str | None = "<unk>",
) -> PreTrainedTokenizerFast:
    """Words, newlines and special tokens, one token each; called on a text it puts <s> before it, as Llama's does.

    Padding is by default with the end token, as SmolLM2's is; None leaves it without. `unk_token` is the name that
    the tokenizer has for `unknown`; None leaves it without one.
    """
    backend = word_tokenizer(ids, split=CHAT_TOKEN, unknown=unknown).backend_tokenizer
    named = {} if unk_token is None else {"unk_token": unk_token}
    return finished_chat(backend, pad_token, special=special, template=template, end=end, **named)


def finished_chat(
    backend: Tokenizer, pad_token: str | None, *, special: Sequence[str], template: str, end: str, **options
) -> PreTrainedTokenizerFast:
    """The chat tokenizer around one of tokenizers that knows the tokens in `special`, <s> among them."""
    others = [token for token in special if token not in ("<s>", end, pad_token)]
    tokenizer = finished(
        backend, "<s> $A", bos_token="<s>", eos_token=end, pad_token=pad_token, extra_special_tokens=others, **options
    )
    tokenizer.chat_template = template
    return tokenizer


def chat_tokens(text: str) -> list[str]:
    """The tokens of a rendered conversation, by a regular expression and not by a tokenizer."""
    return re.findall(r"</?s>|<\|\w+\|>|\n|\w+|[^\w\s]", text)


def sentence(words: Sequence[str], count: int, offset: int) -> str:
    """`count` of the words, drawn with the seed of the run and this offset."""
    return " ".join(words[i] for i in randint(0, len(words), [count], offset).tolist())


# ---------------------------------------------------------------- models
@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's global generator begins at `seed` within, and goes on afterwards as if nothing had been drawn."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)


def bert(
    seed: int, layers: int, *, hidden: int = 8, labels: int = 3, vocabulary: int = 23, positions: int = 11
) -> BertForSequenceClassification:
    """A BertForSequenceClassification with two heads and random weights, the same for the same seed, in train mode."""
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=3 * hidden // 2,
        max_position_embeddings=positions,
        num_labels=labels,
    )
    with seeded(seed):
        return BertForSequenceClassification(config)


def llama(
    seed: int,
    *,
    hidden: int = 16,
    layers: int = 1,
    noise: float | None = None,
    dtype: torch.dtype = torch.float32,
    **options,
) -> LlamaForCausalLM:
    """A Llama with random weights, the same for the same seed, in eval mode; by default it knows the tokens in IDS.

    `noise` is the standard deviation of its matrices (default: Llama's own, 0.02); `options` are those of LlamaConfig.
    """
    known = {"vocab_size": len(IDS), "bos_token_id": IDS["<s>"], "eos_token_id": IDS[END], "pad_token_id": None}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64}
    sizes = {"hidden_size": hidden, "intermediate_size": 3 * hidden // 2, "num_hidden_layers": layers}
    config = LlamaConfig(**{**known, **heads, **sizes, "initializer_range": noise or 0.02, **options})
    with seeded(seed):
        return LlamaForCausalLM(config).to(dtype).eval()


def family_config(family: str, layers: int = 1, **options) -> PreTrainedConfig:
    """The config of a small "Llama", "Phi", "Qwen2" or "GPT-2" with 31 tokens; `options` are those of its class."""
    sizes = {"hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": layers, "num_attention_heads": 4}
    sizes |= {"num_key_value_heads": 2, "max_position_embeddings": 32}
    if family == "GPT-2":
        sizes = {"n_embd": 16, "n_inner": 20, "n_layer": layers, "n_head": 4, "n_positions": 32}
    config_class = getattr(transformers, f"{family.replace('-', '')}Config")
    return config_class(vocab_size=31, pad_token_id=0, bos_token_id=1, eos_token_id=2, **sizes, **options)
