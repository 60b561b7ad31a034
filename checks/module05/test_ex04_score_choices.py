"""5.04: each token's probability from a pass over nothing but what stands before it, one choice at a time.

The tokenizer knows each word with and without a space in front, as those of GPT-2 and Llama do. An answer may
compute in float32 whatever comes in, so tolerances are those of float32 throughout.

Long: 15 checks, and models and tokenizers whose probabilities are known.
"""

import contextlib
import functools
import math
from copy import deepcopy

import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward.language_models import awkwardly_set
from tunelings.inputs import randint, randn, seed

WORDS = ["review", "film", "good", "bad", "dull", "very", "not", "naïve", "東京", "it", "is", "was", "answer"]
SIGNS = [":", ".", " ", "\n", "<s>", "</s>", "<pad>", "<unk>"]
IDS = {token: number for number, token in enumerate([*WORDS, *(f" {word}" for word in WORDS), *SIGNS])}
TOKENS = list(IDS)


def make_tokenizer(pad="<pad>", side="right"):
    """Called on a text it puts <s> before it; a word and the space before it are one token."""
    return tiny.word_tokenizer(
        IDS,
        split=r" ?\w+|[^\w\s]|\s",
        around="<s> $A",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token=pad,
        padding_side=side,
        extra_special_tokens=[] if pad else ["<pad>"],
    )


@functools.lru_cache(maxsize=8)
def _model(_, dropout):
    torch.default_generator.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(TOKENS),
        n_positions=64,
        n_embd=24,
        n_layer=2,
        n_head=2,
        n_inner=32,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = GPT2LMHeadModel(config).double().eval()
    for number, parameter in enumerate(model.parameters()):
        if parameter.dim() == 2:
            parameter.data = randn(*parameter.shape, offset=100 + number) / parameter.shape[0] ** 0.5
    model.transformer.wte.weight.data *= 5
    model.transformer.wpe.weight.data *= 5  # Where a token stands changes much.
    model.lm_head.weight.data *= 3
    return model


def make_model():
    """A GPT-2 in eval mode, in float64; its weights depend on the seed."""
    return deepcopy(_model(seed(), 0.5))


class LookUp(nn.Module):
    """Logits that depend on the token before alone, of the dtype of the table."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def forward(self, hidden):
        return self.table[hidden[..., : len(TOKENS)].argmax(-1)]


def bigram_model(table):
    """A GPT-2 whose layers add nothing: it remembers the last token, and looks its logits up in the table."""
    size = 2 * -(-len(TOKENS) // 2)
    ends = {"bos_token_id": None, "eos_token_id": None}
    config = GPT2Config(vocab_size=len(TOKENS), n_positions=96, n_embd=size, n_layer=1, n_head=2, n_inner=4, **ends)
    model = GPT2LMHeadModel(config).eval()
    for name, parameter in model.named_parameters():
        if "c_proj" in name or "wpe" in name:
            parameter.data.zero_()
    model.transformer.wte.weight.data = torch.eye(len(TOKENS), size)
    model.lm_head = LookUp(table)
    return model


@torch.no_grad()
def log_probs(model, prompt, choice):
    """log p of each token of a choice, by a pass over all that stands before it; both are lists of ids."""
    found = []
    for position, token in enumerate(choice):
        row = model(input_ids=torch.tensor([prompt + choice[:position]])).logits[0, -1].tolist()
        top = max(row)
        found.append(row[token] - top - math.log(sum(math.exp(logit - top) for logit in row)))
    return found


def log_probs_of_table(table, prompt, choice):
    """The same where only the token before counts."""
    found = []
    for before, token in zip([prompt[-1], *choice], choice, strict=False):
        row = table[before].tolist()
        found.append(row[token] - max(row) - math.log(sum(math.exp(logit - max(row)) for logit in row)))
    return found


def ids(*tokens):
    return [IDS[token] for token in tokens]


def words(count, offset):
    """Words, each as its own token with the space in front."""
    return [f" {WORDS[i]}" for i in randint(0, len(WORDS), [count], offset).tolist()]


def prompt_and_ids(count, offset):
    """A prompt of `count` words and a colon, and its ids with <s>."""
    tokens = words(count, offset)
    return "review" + "".join(tokens) + ":", ids("<s>", "review", *tokens, ":")


def close(actual, expected, what, largest=40.0):
    """Up to float32's rounding of sums of log-probabilities up to `largest`."""
    with contextlib.suppress(TypeError, ValueError, RuntimeError):
        actual = torch.as_tensor(
            actual, dtype=torch.float32
        )  # So that a mistake is recognized up to this rounding too.
    expect.close(actual, torch.tensor(expected), what=what, scale=largest, terms=30)


def only(scores):
    """The score in a list of one; anything else comes back as it is."""
    return scores[0] if isinstance(scores, list | tuple) and len(scores) == 1 else scores


def scores_of(answer, model, tokenizer, prompt, choices, **options):
    """What `score_choices` returns, after a look at whether it has changed what it was given."""
    given = {"choices": choices, "parameters": dict(model.named_parameters()), "tokenizer": tokenizer}
    with expect.untouched("after the call", given, errors=ValueError):
        return answer.score_choices(model, tokenizer, prompt, choices, **options)


def test_a_choice_scores_the_sum_of_its_own_tokens(answer):
    prompt, prompt_ids = prompt_and_ids(4, offset=1)
    model, tokenizer = make_model(), make_tokenizer()
    endings = [words(3, offset=2), words(1, offset=3), words(2, offset=4)]
    expected = [log_probs(model, prompt_ids, ids(*ending)) for ending in endings]
    expect.note("of_the_prompt", sum(log_probs(model, prompt_ids[:1], prompt_ids[1:])))
    found = [scores_of(answer, model, tokenizer, prompt, ["".join(ending)], normalize=False) for ending in endings]
    expect.note("kind", type(found[0]).__name__)
    what = "the scores of choices of 3, 1, 2 tokens, each alone, not normalized"
    close([only(scores) for scores in found], [sum(each) for each in expected], what=what)


def test_normalized_the_score_is_the_mean_over_the_choices_tokens(answer):
    prompt, prompt_ids = prompt_and_ids(3, offset=5)
    model, tokenizer = make_model(), make_tokenizer()
    start = int(randint(0, len(WORDS), [1], offset=6)[0])
    ending = [
        f" {WORDS[(start + step) % len(WORDS)]}" for step in (0, 4, 9, 0)
    ]  # One is there twice, and counts twice.
    each = log_probs(model, prompt_ids, ids(*ending))
    expect.note("tokens", len(ending))
    total = sum(each)
    for options, expected in (({"normalize": True}, total / 4), ({"normalize": False}, total), ({}, total / 4)):
        scores = scores_of(answer, model, tokenizer, prompt, ["".join(ending)], **options)
        said = ", ".join(f"{name}={value}" for name, value in options.items()) or "by default"
        close(scores, [expected], what=f"the score of a choice of 4 tokens, {said}")


def test_a_choice_scores_the_same_beside_others(answer):
    prompt, prompt_ids = prompt_and_ids(3, offset=7)
    model = make_model()
    endings = [words(2, offset=8), words(7, offset=9), words(1, offset=10), words(4, offset=11)]
    each = [log_probs(model, prompt_ids, ids(*ending)) for ending in endings]
    choices = ["".join(ending) for ending in endings]
    for side in ("right", "left"):
        tokenizer = make_tokenizer(side=side)
        scores = [
            scores_of(answer, model, tokenizer, prompt, choices),
            scores_of(answer, model, tokenizer, prompt, choices, normalize=False),
        ]
        expected = [[sum(row) / len(row) for row in each], [sum(row) for row in each]]
        close(scores, expected, what=f"means and sums of choices of 2, 7, 1, 4 tokens, padding_side {side}")


def test_any_token_may_stand_in_a_choice_of_a_batch(answer):
    model = make_model()
    endings = [["review", " good"], ["</s>", " bad", " it"], ["<pad>"], [" film", "<pad>", "review", "</s>"]]
    each = [log_probs(model, ids("<s>", "review", ":"), ids(*ending)) for ending in endings]
    for pad in ("<pad>", None):
        scores = scores_of(answer, model, make_tokenizer(pad=pad), "review:", ["".join(ending) for ending in endings])
        what = f"the scores of choices with id 0, </s> and <pad>, pad_token {pad}"
        close(scores, [sum(row) / len(row) for row in each], what=what)


def test_prompt_and_choice_are_encoded_apart_and_as_they_are(answer):
    model, tokenizer = make_model(), make_tokenizer()
    cases = [
        ("film:", "good", ids("<s>", "film", ":"), ids("good")),
        ("film:", " good", ids("<s>", "film", ":"), ids(" good")),
        ("film: ", "good it", ids("<s>", "film", ":", " "), ids("good", " it")),
        ("film: ", "good bad", ids("<s>", "film", ":", " "), ids("good", " bad")),
        ("film", ": 東京.\n", ids("<s>", "film"), ids(":", " 東京", ".", "\n")),
        ("it is\n", "naïve very", ids("<s>", "it", " is", "\n"), ids("naïve", " very")),
        ("review:", "review good", ids("<s>", "review", ":"), ids("review", " good")),  # "review" has the id 0.
        ("film<pad>:", "good<pad> bad</s>", ids("<s>", "film", "<pad>", ":"), ids("good", "<pad>", " bad", "</s>")),
    ]
    scores = [only(scores_of(answer, model, tokenizer, prompt, [c], normalize=False)) for prompt, c, _, _ in cases]
    expect.note("scores", scores)
    for (prompt, choice, prompt_ids, choice_ids), score in zip(cases, scores, strict=True):
        expected = sum(log_probs(model, prompt_ids, choice_ids))
        close(score, expected, what=f"the score of {choice!r} after {prompt!r}")


def test_special_tokens_are_prompt_enough(answer):
    model, tokenizer = make_model(), make_tokenizer()
    score = only(scores_of(answer, model, tokenizer, "", ["bad"], normalize=False))
    expected = sum(log_probs(model, ids("<s>"), ids("bad")))
    close(score, expected, what="the score of 'bad' after an empty prompt, which has the token <s>")


def test_white_space_is_a_choice(answer):
    model, tokenizer = make_model(), make_tokenizer()
    for choice in ("\n", " "):
        scores, refused = [math.nan], 0
        try:
            scores = scores_of(answer, model, tokenizer, "film:", [choice], normalize=False)
        except ValueError:
            refused = 1
        expect.equal(refused, 0, what=f"whether the choice {choice!r}, which has a token, is a ValueError")
        expected = sum(log_probs(model, ids("<s>", "film", ":"), ids(choice)))
        close(only(scores), expected, what=f"the score of {choice!r} after 'film:'")


def test_a_tokenizer_without_a_padding_token_will_do_and_stays_as_it_is(answer):
    prompt, prompt_ids = prompt_and_ids(2, offset=12)
    model = make_model()
    endings = [words(1, offset=13), words(5, offset=14)]
    expected = [sum(row) / len(row) for row in (log_probs(model, prompt_ids, ids(*ending)) for ending in endings)]
    tokenizers = {
        "without a padding token": make_tokenizer(pad=None, side="left"),
        "with one": make_tokenizer(),
        "that truncates on the left, after 3 tokens": awkwardly_set(make_tokenizer(), max_length=3),
    }
    for kind, tokenizer in tokenizers.items():
        given = {"choices": ["".join(ending) for ending in endings], "tokenizer": tokenizer}
        given["parameters"] = dict(model.named_parameters())
        with expect.untouched(f"a tokenizer {kind}", given, errors=(ValueError, TypeError)):
            scores = answer.score_choices(model, tokenizer, prompt, given["choices"])
        close(scores, expected, what=f"the scores of two choices, a tokenizer {kind}")


def test_scores_are_python_floats_in_the_order_of_the_choices(answer):
    model, tokenizer = make_model(), make_tokenizer()
    scores = scores_of(answer, model, tokenizer, "film:", [" good", " bad", " good"])
    expect.kind(scores, list, what="the scores")
    expect.equal(len(scores), 3, what="the number of scores of three choices")
    expect.kind(scores, list, of=float, what="the scores")
    close(scores[2], scores[0], what="the score of the third choice, which is the first again")
    for options in ({"normalize": False}, {"normalize": True}):
        scores = scores_of(answer, model, tokenizer, "film:", [" good"], **options)
        expect.kind(scores, list, of=float, what="the scores of one choice")


def watch(model):
    """For each pass, whether dropout was on and whether gradients were recorded."""
    passes = []

    def after_forward(module, args, kwargs, output):
        passes.append((int(module.transformer.drop.training), int(output.logits.requires_grad)))

    model.register_forward_hook(after_forward, with_kwargs=True)
    return passes


def test_the_model_reads_in_eval_mode_and_each_mode_is_restored(answer):
    prompt, prompt_ids = prompt_and_ids(2, offset=15)
    model, tokenizer = make_model(), make_tokenizer()
    endings = [words(2, offset=16), words(1, offset=17)]
    expected = [sum(row) / len(row) for row in (log_probs(model, prompt_ids, ids(*ending)) for ending in endings)]
    passes = watch(model)
    for mode in (True, False):
        model.train(mode)
        model.transformer.h[1].attn.train(not mode)
        before = [module.training for module in model.modules()]
        scores = scores_of(answer, model, tokenizer, prompt, ["".join(ending) for ending in endings])
        came_in = f"the model in {'train' if mode else 'eval'} mode, one layer in the other"
        in_train_mode = max((training for training, _ in passes), default=0)
        expect.equal(in_train_mode, 0, what=f"whether a pass ran with dropout on; {came_in}")
        close(scores, expected, what=f"the scores; {came_in}")
        after = {name or "the model": module.training for name, module in model.named_modules()}
        changed = [name for name, old in zip(after, before, strict=True) if after[name] != old]
        said = [*changed[:1], len(changed)]
        expect.equal(said, [0], what=f"the first part whose mode changed, and how many; {came_in}")


def test_no_gradients_are_recorded_and_the_grad_mode_is_restored(answer):
    model, tokenizer = make_model(), make_tokenizer()
    passes = watch(model)
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            scores_of(answer, model, tokenizer, "film:", [" very good", " bad"])
            after = torch.is_grad_enabled()
        expect.equal(max((grad for _, grad in passes), default=0), 0, what="whether a pass recorded gradients")
        expect.equal(int(after), int(enabled), what=f"the grad mode after the call, {int(enabled)} before it")


def test_logits_in_half_precision_are_taken_to_float32(answer):
    tokenizer = make_tokenizer()
    table = (8 * randn(len(TOKENS), len(TOKENS), offset=18)).round() / 8  # Exact in half precision.
    endings = [words(3, offset=19), words(6, offset=20)]
    for dtype in (torch.bfloat16, torch.float16):
        model = bigram_model(table.to(dtype))
        expected = [sum(log_probs_of_table(table, ids(":"), ids(*ending))) for ending in endings]
        choices = ["".join(ending) for ending in endings]
        scores = scores_of(answer, model, tokenizer, "film:", choices, normalize=False)
        close(scores, expected, what=f"the scores from {dtype} logits")


def test_scores_are_finite_for_improbable_and_for_long_choices(answer):
    tokenizer = make_tokenizer()
    table = (8 * randn(len(TOKENS), len(TOKENS), offset=21)).round() / 8
    table[IDS[" was"], IDS[" not"]] -= 200
    table[:, ids("review", "</s>", "<pad>")] = -math.inf  # As of tokens that a model never writes; 0 · -inf is nan.
    model = bigram_model(table.float())
    endings = [[" it", " was", " not", " bad"], words(80, offset=22)]
    expected = [sum(log_probs_of_table(table, ids(":"), ids(*ending))) for ending in endings]
    choices = ["".join(ending) for ending in endings]
    scores = scores_of(answer, model, tokenizer, "film:", choices, normalize=False)
    improbable = scores[0] if isinstance(scores, list) and scores else None
    expect.true(
        not (isinstance(improbable, float) and expected[0] + 50 < improbable < math.inf),
        what="the score of a choice with a token of log p -200",
        actual="larger by more than 50",
        expected=f"about {expected[0]:.0f}",
    )
    what = "the scores of a choice with a token of log p -200, and of 80 tokens"
    close(scores, expected, what=what, largest=400.0)
    table = torch.zeros(len(TOKENS), len(TOKENS))
    table[:, IDS[" good"]] = 11.75
    score = only(scores_of(answer, bigram_model(table), tokenizer, "film:", [" good"]))
    expected = log_probs_of_table(table, ids(":"), ids(" good"))
    close(score, sum(expected), what="the score of a choice that is nearly certain", largest=2.0)


def test_nothing_to_score_is_an_error(answer):
    model, tokenizer = make_model(), make_tokenizer()
    for choices in ([], [""], [" good", "", " bad"]):
        expect.raises(
            ValueError,
            lambda choices=choices: scores_of(answer, model, tokenizer, "film:", choices),
            what=f"the choices {choices}",
        )
    splitting = tiny.word_tokenizer(IDS, around="<s> $A", unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    expect.raises(
        ValueError,
        lambda: scores_of(answer, model, splitting, "film", ["good", " \n"]),
        what="a choice of white space, and a tokenizer that makes no token of it",
    )


def test_what_is_given_stays_as_it_is(answer):
    model, tokenizer = make_model().train(), make_tokenizer()
    model.lm_head.weight.requires_grad = False
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    scores_of(answer, model, tokenizer, "film:", [" bad", " very good", ": film\n"])
