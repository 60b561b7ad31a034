"""Find a passage for a question by its words or by its embedding (5.05 builds both), and the best stretch of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunelings import loading
from tunelings.handson.precision import model_dtype
from tunelings.handson.pydocs import WORDS_GRADED, Passage

if TYPE_CHECKING:
    from torch import Tensor

REFERENCE = "5.05"
OnStep = Callable[[str, float], None]  # what is being done, and how much of it (0 to 1)


def silent(what: str, share: float) -> None:
    """Report no progress."""


def words_of(text: str) -> list[str]:
    return loading.reference(REFERENCE)._tokens(text)


class BM25:
    """Ranks texts by the words that they share with a question, with the index of the reference of 5.05."""

    tokens = 0

    def __init__(self, texts: Sequence[str]):
        reference = loading.reference(REFERENCE)
        self.index = reference._Index(texts)
        self.idf: dict[str, float] = self.index.idf
        self.options = reference.bm25_scores.__kwdefaults__  # k1 and b

    def scores(self, question: str) -> list[float]:
        return self.index.scores(question, **self.options)

    def best(self, question: str, k: int) -> list[int]:
        scores = self.scores(question)
        return sorted(range(len(scores)), key=lambda number: -scores[number])[:k]


class Encoder:
    """Ranks texts by the cosine of their embeddings with that of the question."""

    def __init__(self, path: str | Path, texts: Sequence[str], on_step: OnStep = silent, device: str = "cpu"):
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModel.from_pretrained(path, dtype=fast_dtype(device)).to(device).eval()
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # Little padding in a batch.
        rows: dict[int, Tensor] = {}
        for start in range(0, len(texts), 16):
            part = order[start : start + 16]
            rows.update(zip(part, self.encode([texts[number] for number in part]), strict=True))
            on_step("encoding passages", (start + len(part)) / len(texts))
        self.rows = [rows[number] for number in range(len(texts))]

    def encode(self, texts: Sequence[str]):
        import torch

        batch = self.tokenizer(list(texts), truncation=True, max_length=256, padding=True, return_tensors="pt")
        self.tokens = batch["attention_mask"].sum().item()  # of the last call
        batch = batch.to(self.model.device)
        with torch.no_grad():
            hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (hidden.float() * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=1).cpu()

    def best(self, question: str, k: int) -> list[int]:
        import torch

        return (torch.stack(self.rows) @ self.encode([question])[0]).topk(k).indices.tolist()


class Snippet:
    """The stretch of 30 words in the best passage that shares most with the question, as a search engine shows it."""

    def __init__(self, name: str, passages: Sequence[Passage], make_index: Callable[[Sequence[str]], BM25 | Encoder]):
        self.name = name
        self.texts = [f"{passage.title}\n{passage.text}" for passage in passages]
        self.passages = passages
        self.make_index = make_index

    def setup(self) -> None:
        self.index = self.make_index(self.texts)

    def answer(self, question: str) -> str:
        return stretch(question, self.passages[self.index.best(question, 1)[0]].text, WORDS_GRADED)

    def cost(self, question: str, prediction: str) -> float:
        return float(self.index.tokens)


def stretch(question: str, text: str, length: int) -> str:
    """The `length` words in a row that share most with the question."""
    words = text.split()
    starts = range(0, max(1, len(words) - length // 2), length // 3)
    stretches = [" ".join(words[start : start + length]) for start in starts]
    return stretches[BM25(stretches).best(question, 1)[0]]


def fast_dtype(device: str):
    """For answering: bfloat16 where the processor computes in it, else float16 on a GPU and float32 on a CPU."""
    import torch

    if device == "cpu":
        return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
    return model_dtype(device, trains=False)
