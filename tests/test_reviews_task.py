"""The task of 3.12: its data, its grades, and what it measures."""

import json

import pytest
import torch
from torch.nn import functional as F

from tests.conftest import COURSE, ROOT
from tunelings.grading import answers
from tunelings.handson import reviews_task as task
from tunelings.handson import tiny

# transformers 5.24 warns of its own names that it calls itself.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def test_no_review_is_trained_on_and_held_out():
    train, test = task.load_pairs(ROOT / "data" / "sentiment")
    assert (len(train), len(test)) == (8056, 1007)
    assert not {text for text, _ in train} & {text for text, _ in test}


def test_an_answer_is_one_line_of_json_with_both_labels_about_as_often():
    train, test = task.load_pairs(ROOT / "data" / "sentiment")
    labels = [json.loads(line)["sentiment"] for _, line in train[:400] + test[:400]]
    assert set(labels) == {"negative", "positive"}
    assert 0.4 < labels.count("positive") / len(labels) < 0.6


def test_the_general_texts_are_long_all_different_and_not_about_films():
    texts = task.load_general_texts(20, ROOT / "data" / "pydocs")
    assert len(set(texts)) == 20 and min(map(len, texts)) >= 300
    assert sum("Python" in text for text in texts) >= 3


def test_missing_passages_say_how_to_get_them_back(tmp_path):
    with pytest.raises(FileNotFoundError, match="git checkout data"):
        task.load_general_texts(folder=tmp_path)


def test_only_the_very_line_is_an_exact_match():
    line = '{"sentiment": "positive"}'
    said = [line, f" {line}\n", '{"sentiment": "negative"}', '{"sentiment":"positive"}', "Positive", f"{line} and more"]
    assert task.grade(said, [("a review", line)] * 6) == task.Match(exact=2, in_format=3, count=6)


def test_answer_all_keeps_the_order_and_the_size_of_the_batches():
    sizes = []

    def generate(model, tokenizer, prompts, *, max_new_tokens):
        sizes.append(len(prompts))
        return [prompt.upper() for prompt in prompts]

    assert task.answer_all(generate, None, None, list("abcdefg"), batch_size=3) == list("ABCDEFG")
    assert sizes == [3, 3, 1]


def test_the_language_loss_is_a_mean_over_the_tokens_of_all_texts():
    model, tokenizer = tiny.llama(1, noise=0.3, attention_dropout=0.5), tiny.chat_tokenizer()
    texts = ["kiwi plum fig lime pear", "date melon", "guava " * 20]
    losses = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tiny.IDS[word] for word in text.split()][:7])
            losses += F.cross_entropy(model(input_ids=ids[None]).logits[0, :-1], ids[1:], reduction="none").tolist()
    model.train()
    assert task.language_loss(model, tokenizer, texts, max_length=7) == pytest.approx(sum(losses) / len(losses))
    assert all(module.training for module in model.modules())


def test_a_report_says_what_was_learnt_forgotten_and_spent(tmp_path):
    answer = answers.load(answers.read(COURSE.find("3.12").solution_path))
    tokenizer, base = tiny.chat_tokenizer(), tiny.llama(2, noise=0.3)
    dataset = answer.build_dataset([("kiwi", "plum")] * 4, tokenizer, 32)
    trained = answer.train_lora(base, tokenizer, dataset, answer.Config(2, 4, 0.01, 2, 4, tmp_path / "adapter"))
    cost = task.cost_of(trained.model, tmp_path / "adapter")
    assert cost.trainable == sum(p.numel() for p in trained.model.parameters() if p.requires_grad)
    assert cost.trainable + cost.base == sum(p.numel() for p in trained.model.parameters())
    assert 4 * cost.trainable < cost.file < 4 * cost.trainable + 5000
    model = trained.model.train()
    measured = task.measure(answer.generate, model, tokenizer, [("kiwi", "{}")] * 3, tmp_path / "adapter")
    assert measured.after == task.Match(exact=0, in_format=0, count=3)
    assert measured.loss_before != measured.loss_after and model.active_adapters == ["default"]
    lines = task.describe(measured).splitlines()
    assert len(lines) == 7 and f"{cost.trainable:,} of {cost.base:,} parameters" in lines[4]


@pytest.mark.parametrize("bits", [4, 16])
def test_the_computed_memory_is_that_of_3_02(bits):
    answer = answers.load(answers.read(COURSE.find("3.02").solution_path))
    expected = answer.training_memory(
        6_738_415_616, 39_976_960, frozen_bits=bits, double_quant=bits == 4, trainable_bits=32, optimizer="adamw"
    )
    cost = task.Cost(0, 39_976_960, 6_738_415_616, None)
    assert task.computed_memory(cost, bits) == pytest.approx(expected.total, rel=1e-4)


def test_a_model_without_a_template_gets_a_plain_one(tmp_path):
    tokenizer = tiny.chat_tokenizer()
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    tiny.llama(3).save_pretrained(tmp_path)
    model, tokenizer = task.load_model(str(tmp_path))
    turns = [{"role": "user", "content": "kiwi"}, {"role": "assistant", "content": "plum"}]
    whole = tokenizer.apply_chat_template(turns, tokenize=False)
    prompt = tokenizer.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
    assert whole == f"{prompt}plum{tokenizer.eos_token}\n" and not model.training


def test_four_bits_leave_a_model_that_the_adapter_learns_on(tmp_path):
    answer = answers.load(answers.read(COURSE.find("3.12").solution_path))
    tiny.chat_tokenizer().save_pretrained(tmp_path / "model")
    tiny.llama(4, hidden=64, noise=0.1).save_pretrained(tmp_path / "model")
    model, tokenizer = task.load_model(str(tmp_path / "model"), in_4_bits=True)
    dataset = answer.build_dataset([("kiwi", "plum"), ("fig lime", "pear")] * 4, tokenizer, 32)
    config = answer.Config(4, 8, 0.02, 12, 8, tmp_path / "adapter")
    trained = answer.train_lora(model, tokenizer, dataset, config)
    assert trained.history.loss[-1] < trained.history.loss[0] - 0.2
    assert task.cost_of(trained.model, tmp_path / "adapter").base == tiny.llama(4, hidden=64).num_parameters()
