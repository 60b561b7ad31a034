"""The approaches that 5.09 compares on the questions of data/pydocs, from no model at all to a fine-tuned one.

Each has a name and three functions: `setup()` loads or trains, once; `answer(question)` gives a text; and
`cost(question, prediction)` counts the tokens that neural models read and wrote for it. None ever sees an answer to
a test question: what is trained or given as an example comes from the development questions and the FAQ pairs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tunelings.handson.pydocs import FaqEntry, Passage, Question, holds
from tunelings.handson.search import BM25, Encoder, OnStep, Snippet, fast_dtype, silent, stretch, words_of

NEW_TOKENS = 24
PASSAGE_CHARACTERS = 1200  # The longest passage has 6,569, and a prompt is paid for by its length.
SYSTEM = "You answer questions about Python with one name or a few words."
SHOTS = 4
WORDS_SHOWN = 60  # of the passage that was found; chosen on the development questions
QUICK = ("BM25 snippet", "BM25 + extractor from scratch", "prompt", "BM25 + prompt")  # No training, no encoder.


# ---------------------------------------------------------------- no language model
class Extractor:
    """A linear model from scratch: which word of the best passages is the answer? Trained on a few dozen questions."""

    def __init__(self, name: str, passages: Sequence[Passage], questions: Sequence[Question], k: int = 3):
        self.name, self.passages, self.questions, self.k = name, passages, questions, k

    def setup(self) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.index = BM25([f"{passage.title}\n{passage.text}" for passage in self.passages])
        rows, right = [], []
        for question in self.questions:
            for word, features in self.candidates(question.question).items():
                rows.append(features)
                right.append(holds(word, question.answers))
        self.model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
        self.model.fit(rows, right)

    def candidates(self, question: str) -> dict[str, list[float]]:
        """The words of the best passages with what can be said of each, as numbers."""
        asked = set(words_of(question))
        idf = {word: self.index.idf.get(word, 0.0) for word in asked}
        total = sum(idf.values()) or 1.0
        found: dict[str, list[float]] = {}
        for rank, number in enumerate(self.index.best(question, self.k)):
            text = self.passages[number].text
            for match in re.finditer(r"PEP \d+|(?:--?|\.)?\w+", text):
                word = match.group()
                near = text[max(0, match.start() - 120) : match.end() + 120]
                after = text[match.end() : match.end() + 120]
                begins_line = match.start() == 0 or text[match.start() - 1] == "\n"
                features = [
                    sum(idf[w] for w in asked & set(words_of(near))) / total,
                    sum(idf[w] for w in asked & set(words_of(after))) / total,
                    1.0 / (1 + rank),
                    min(self.index.idf.get(w, 9.0) for w in words_of(word)),
                    float(bool(asked & set(words_of(word)))),
                    float("_" in word),
                    float(re.search(r"[a-z][A-Z]", word) is not None),
                    float(word.isupper()),
                    float(word[0] == "-" and "option" in asked),
                    float(word.startswith("PEP") and "pep" in asked),
                    float(word.startswith("PEP") and "pep" not in asked),
                    float(word[0].isdigit()),
                    float(after.startswith("(")),
                    float(begins_line),
                    float(word[0].isupper() and bool(asked & {"class", "exception", "enum"})),
                    float(word[0].islower() and bool(asked & {"function", "method", "parameter", "attribute"})),
                ]
                found[word] = max(found.get(word, features), features)
        return found

    def answer(self, question: str) -> str:
        found = self.candidates(question)
        scores = self.model.decision_function(list(found.values()))
        return list(found)[int(scores.argmax())]

    def cost(self, question: str, prediction: str) -> float:
        return 0.0


# ---------------------------------------------------------------- a language model from scratch
class Scratch:
    """A decoder of a million parameters that has read nothing but our passages and pairs."""

    def __init__(
        self, name: str, texts: Sequence[str], seed: int, steps: int = 250, on_step: OnStep = silent, device="cpu"
    ):
        self.name, self.texts, self.seed, self.steps = name, texts, seed, steps
        self.on_step, self.device = on_step, device

    def setup(self) -> None:
        import torch
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import LlamaConfig, LlamaForCausalLM

        self.tokenizer = Tokenizer(models.BPE())
        self.tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        self.tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=2048, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False
        )
        self.tokenizer.train_from_iterator(self.texts, trainer)
        config = LlamaConfig(
            vocab_size=2048, hidden_size=128, intermediate_size=344, num_hidden_layers=4, num_attention_heads=4,
            max_position_embeddings=256, tie_word_embeddings=True, bos_token_id=None, eos_token_id=0, pad_token_id=0,
        )  # fmt: skip
        ids = torch.tensor([number for text in self.texts for number in [*self.tokenizer.encode(text).ids, 0]])
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.model = LlamaForCausalLM(config).to(self.device)
            optimizer = torch.optim.AdamW(self.model.parameters(), lr=2e-3)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
            for step in range(self.steps):
                starts = torch.randint(0, len(ids) - 128, (16,))
                batch = torch.stack([ids[start : start + 128] for start in starts]).to(self.device)
                loss = self.model(input_ids=batch, labels=batch).loss
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                self.on_step(f"{self.name}: loss {loss.item():.2f}", (step + 1) / self.steps)
        self.model.eval()

    def answer(self, question: str) -> str:
        import torch

        ids = torch.tensor([self.tokenizer.encode(as_text(question, "")).ids], device=self.device)
        written = self.model.generate(ids, max_new_tokens=NEW_TOKENS, do_sample=False)
        return self.tokenizer.decode(written[0, ids.shape[1] :].tolist()).split("\nQuestion:")[0]

    def cost(self, question: str, prediction: str) -> float:
        return float(len(self.tokenizer.encode(as_text(question, prediction)).ids))


def as_text(question: str, answer: str) -> str:
    """A question with its answer as plain text, for a model that knows no chat template."""
    return f"Question: {question}\nAnswer: {answer}".rstrip()


# ---------------------------------------------------------------- a pretrained language model
class Prompted:
    """A chat model with a question; after worked examples (`shots`), and with the best passage of an index."""

    def __init__(
        self, name, path: str | Path, *, passages=(), make_index=None, words=None, shots=(), system=SYSTEM, device="cpu"
    ):
        self.name, self.path, self.passages, self.make_index, self.words = name, path, passages, make_index, words
        self.shots, self.system, self.device = shots, system, device

    def setup(self) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(self.path)
        self.model = AutoModelForCausalLM.from_pretrained(self.path, dtype=fast_dtype(self.device)).to(self.device)
        self.model.eval()
        texts = [f"{passage.title}\n{passage.text}" for passage in self.passages]
        self.index = self.make_index(texts) if self.make_index else None

    def messages(self, question: str) -> list[dict]:
        passage = self.passages[self.index.best(question, 1)[0]] if self.index else None
        return self.turns([*self.shots, (user_turn(question, passage, self.words), None)])

    def turns(self, examples: Sequence[tuple[str, str | None]]) -> list[dict]:
        turns = [{"role": "system", "content": self.system}]
        for user, wanted in examples:
            turns.append({"role": "user", "content": user})
            turns += [{"role": "assistant", "content": wanted}] if wanted is not None else []
        return turns

    def prompt(self, messages: list[dict]) -> list[int]:
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def answer(self, question: str) -> str:
        import torch

        ids = torch.tensor([self.prompt(self.messages(question))], device=self.device)
        written = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False,
            pad_token_id=self.tokenizer.eos_token_id,
        )  # fmt: skip
        return self.tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)

    def cost(self, question: str, prediction: str) -> float:
        written = self.tokenizer(prediction, add_special_tokens=False)["input_ids"]
        return float(len(self.prompt(self.messages(question))) + len(written))


class FineTuned(Prompted):
    """The same with a LoRA adapter that is trained on `examples`: user turns with the answers that are wanted."""

    def __init__(self, name, path, examples: Sequence[tuple[str, str]], seed, epochs, on_step=silent, **more):
        super().__init__(name, path, **more)
        self.examples, self.seed, self.epochs, self.on_step = examples, seed, epochs, on_step

    def setup(self) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        super().setup()
        lora = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.model = get_peft_model(self.model, lora)
            self.train(torch.optim.AdamW([p for p in self.model.parameters() if p.requires_grad], lr=5e-4))
        self.model.eval()

    def train(self, optimizer, group: int = 4, longest: int = 384) -> None:
        import torch

        draw = random.Random(self.seed)
        count = len(self.examples)
        order = [number for _ in range(self.epochs) for number in draw.sample(range(count), count)]
        self.model.train()
        for done, number in enumerate(order, start=1):
            user, wanted = self.examples[number]
            prompt = self.prompt(self.turns([(user, None)]))
            answer = self.tokenizer(wanted, add_special_tokens=False)["input_ids"] + [self.tokenizer.eos_token_id]
            ids = torch.tensor([(prompt + answer)[:longest]], device=self.device)
            labels = torch.tensor([([-100] * len(prompt) + answer)[:longest]], device=self.device)
            loss = self.model(input_ids=ids, labels=labels).loss
            (loss / group).backward()
            if done % group == 0 or done == len(order):
                optimizer.step()
                optimizer.zero_grad()
            self.on_step(f"{self.name}: loss {loss.item():.2f}", done / len(order))


def user_turn(question: str, passage: Passage | None, words: int | None = None) -> str:
    """What the user says: the question, after the passage or after its best `words` words, if there is one."""
    if passage is None:
        return question
    text = passage.text[:PASSAGE_CHARACTERS] if words is None else stretch(question, passage.text, words)
    return f"{passage.title}\n{text}\n\nQuestion: {question}"


def reading(questions: Sequence[Question], passages: Sequence[Passage], words: int | None) -> list[tuple[str, str]]:
    """Examples of reading: each question after a passage that holds its answer."""
    passage_of = {passage.id: passage for passage in passages}
    return [(user_turn(q.question, passage_of[q.gold_passages[0]], words), q.answers[0]) for q in questions]


# ---------------------------------------------------------------- all of them
def line_up(
    passages: Sequence[Passage],
    development: Sequence[Question],
    pairs: Sequence[FaqEntry],
    *,
    language_model: str | Path,
    encoder: str | Path,
    seed: int = 0,
    on_step: OnStep = silent,
    device: str = "cpu",
) -> list:
    """Every approach. `pairs` hold no answer to a test question (`pydocs.without_answers`)."""
    shots = [(question.question, question.answers[0]) for question in development[:SHOTS]]
    opening = [(pair.question, pair.answer.split("\n\n")[0]) for pair in pairs]
    asked = [as_text(question, answer) for question, answer in [*shots, *opening]]
    library = {"passages": passages, "make_index": BM25, "words": WORDS_SHOWN}
    read = reading(development, passages, WORDS_SHOWN)
    tuned = {"seed": seed, "on_step": on_step, "device": device}
    return [
        Snippet("BM25 snippet", passages, BM25),
        Snippet("MiniLM snippet", passages, lambda texts: Encoder(encoder, texts, on_step, device)),
        Extractor("BM25 + extractor from scratch", passages, development),
        Scratch("decoder from scratch", [passage.text for passage in passages] + asked, seed, 250, on_step, device),
        Prompted("prompt", language_model, device=device),
        Prompted("few-shot prompt", language_model, shots=shots, device=device),
        Prompted("BM25 + prompt", language_model, device=device, **library),
        FineTuned("LoRA on FAQ pairs", language_model, opening, epochs=1, **tuned),
        FineTuned("BM25 + LoRA", language_model, read, epochs=4, **library, **tuned),
    ]


def watched(approach, count: int, on_step: OnStep) -> Callable[[str], str]:
    """The approach's `answer`, with a report of progress after each of `count` questions."""
    done = iter(range(1, count + 2))

    def answer(question: str) -> str:
        prediction = approach.answer(question)
        on_step(approach.name, next(done) / (count + 1))
        return prediction

    return answer
