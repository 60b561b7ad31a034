"""5.02: each token's loss from a pass over nothing but what it may see, by a loop over tokens and windows.

An answer may compute in float32 whatever comes in, so tolerances are those of float32 throughout.

Long: 14 checks of windows, sums, modes and errors.
"""

import contextlib
import math
from types import SimpleNamespace

import torch
from torch import nn

from tunelings import expect
from tunelings.handson.awkward.models import awkward_model
from tunelings.inputs import randint, randn

VOCABULARY = 13


class TinyLM(nn.Module):
    """A causal model: each position mixes its own embedding with the mean of all up to it. Notes its passes."""

    def __init__(self, offset, dtype=torch.float64, sharpness=0.5):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, 8)
        self.mix = nn.Sequential(nn.Linear(16, 12), nn.Dropout(0.5), nn.Tanh())
        self.head = nn.Linear(12, VOCABULARY)
        for number, parameter in enumerate(self.parameters()):
            parameter.data = randn(*parameter.shape, offset=100 * offset + number)
        self.head.weight.data *= sharpness
        self.to(dtype).eval()
        self.passes, self.windows = [], []

    def forward(self, input_ids, **_):
        if len(self.passes) == 500:
            raise RuntimeError("500 windows were read, and still more are coming")
        if input_ids.shape[-1] == 0:
            raise RuntimeError("the model was given a window without a token")
        embedded = self.embed(input_ids)
        counts = torch.arange(1, input_ids.shape[-1] + 1).unsqueeze(-1)
        seen = embedded.cumsum(dim=-2) / counts
        logits = self.head(self.mix(torch.cat([embedded, 3 * seen], dim=-1)))
        self.passes.append((input_ids.shape[-1], int(self.mix[1].training), int(logits.requires_grad)))
        self.windows += input_ids.reshape(-1, input_ids.shape[-1]).tolist()
        return SimpleNamespace(logits=logits)


def text(length, offset):
    return randint(0, VOCABULARY, [length], offset=offset)


@torch.no_grad()
def mean_loss(model, ids, stride, context):
    """The mean of -log p over the tokens: each in the first window that holds it, seen from that window's start."""
    total = 0.0
    for target in range(1, len(ids)):
        start = 0
        while not start <= target < start + context:
            start += stride
        row = model(ids[start:target].unsqueeze(0)).logits[0, -1].double()
        total += math.log(sum(math.exp(logit) for logit in (row - row.max()).tolist()))
        total -= float(row[ids[target]] - row.max())
    model.passes.clear()
    model.windows.clear()
    return total / (len(ids) - 1)


def score(answer, model, ids, stride, context):
    """What `perplexity` returns, after a look at whether it has changed what it was given."""
    with expect.untouched("after the call", {"model": dict(model.named_parameters()), "ids": ids}):
        try:
            return answer.perplexity(model, ids, stride, context)
        except ValueError as error:
            refused = str(error)
    expect.true(
        False,
        what=f"the perplexity of ids of shape {list(ids.shape)}, stride {stride}, context {context}",
        actual="a ValueError",  # Whatever it says.
        expected=f"a number, and no ValueError: {refused}",
    )


def close(actual, expected, what, largest_loss=10.0):
    """Up to float32's rounding of the exponent, which is a mean of losses up to `largest_loss`."""
    with contextlib.suppress(TypeError, ValueError, RuntimeError):
        actual = torch.as_tensor(
            actual, dtype=torch.float32
        )  # So that a mistake is recognized up to this rounding too.
    expected = torch.tensor(expected)
    expect.close(actual, expected, what=what, scale=largest_loss * float(expected.max()), terms=30)


def test_a_text_that_fits_into_the_window_is_one_pass(answer):
    lengths, ids = (11, 7, 2), text(11, offset=1)
    model = TinyLM(offset=1)
    losses = [mean_loss(model, ids[:length], 5, 11) for length in lengths]
    expect.note("nats", losses)
    expect.note("lengths", list(lengths))
    try:
        mine = [score(answer, model, ids[:length].unsqueeze(0), 5, 11) for length in lengths]
    except expect.CheckFailed:
        try:  # A ValueError may come from the shape of the ids, or from anything else.
            flat = type(answer.perplexity(model, ids, 5, 11)).__name__
        except Exception as error:
            flat = f"{type(error).__name__}: {error}"
        expect.note("of_flat_ids", flat)
        raise
    close(mine, [math.exp(loss) for loss in losses], what="the perplexities of 11, 7 and 2 tokens, context 11")


def test_a_long_text_is_read_in_windows_that_overlap(answer):
    ids, model = text(24, offset=2), TinyLM(offset=2)
    losses = [mean_loss(model, ids[:length], 3, 8) for length in (24, 17, 9)]
    one_pass = [math.exp(mean_loss(model, ids[:length], 3, 99)) for length in (24, 17, 9)]
    expect.note("one_pass", one_pass)
    mine = [score(answer, model, ids[:length].unsqueeze(0), 3, 8) for length in (24, 17, 9)]
    what = "the perplexities of 24, 17, 9 tokens, stride 3, context 8"
    close(mine, [math.exp(loss) for loss in losses], what=what)
    ids, table = text(1200, offset=17), randn(VOCABULARY, VOCABULARY, offset=18)
    losses = table.logsumexp(dim=1)[ids[:-1]] - table[ids[:-1], ids[1:]]  # Whatever window a token is seen in.
    mine = score(answer, Bigrams(table), ids, 40, 60)
    close(mine, math.exp(losses.mean()), what="the perplexity of 1,200 tokens, stride 40, context 60")


def test_every_stride_scores_each_token_once(answer):
    ids, model = text(20, offset=3), TinyLM(offset=3)
    cases = ((8, (1, 4, 7)), (2, (1,)), (19, (1, 11, 18)))
    all_losses = [[mean_loss(model, ids, stride, context) for stride in strides] for context, strides in cases]
    for (context, strides), losses in zip(cases, all_losses, strict=True):
        mine = [score(answer, model, ids.unsqueeze(0), stride, context) for stride in strides]
        listed = ", ".join(map(str, strides))
        what = f"the perplexities of 20 tokens, context {context}, stride {listed}"
        close(mine, [math.exp(loss) for loss in losses], what=what)


def test_the_windows_are_those_that_were_said(answer):
    ids, model = text(23, offset=4), TinyLM(offset=4)
    cases = (
        (23, 3, 8, range(0, 16, 3)),
        (22, 5, 7, range(0, 16, 5)),
        (8, 3, 8, [0]),
        (21, 3, 8, range(0, 16, 3)),
        (5, 3, 8, [0]),
    )
    for length, stride, context, starts in cases:
        model.windows.clear()
        model.passes.clear()
        score(answer, model, ids[:length].unsqueeze(0), stride, context)
        longest = max((length for length, _, _ in model.passes), default=0)
        expect.true(0 < longest <= context, what="the tokens of the longest pass", actual=longest, expected=context)
        case = f"{length} tokens, stride {stride}, context {context}"
        wanted = sorted(ids[start : min(start + context, length)].tolist() for start in starts)
        sizes = sorted(map(len, model.windows))
        expect.equal(sizes, sorted(map(len, wanted)), what=f"the lengths of the windows that the model reads, {case}")
        expect.equal(sorted(model.windows), wanted, what=f"the windows that the model reads, {case}")


def test_ids_may_come_without_a_batch_dimension(answer):
    ids, model = text(14, offset=5), TinyLM(offset=5)
    expected = math.exp(mean_loss(model, ids, 4, 6))
    close(score(answer, model, ids, 4, 6), expected, what="the perplexity of ids of shape [14]")
    apart = torch.stack([ids, text(14, offset=6)], dim=1)[:, 0]
    close(score(answer, model, apart, 4, 6), expected, what="the perplexity of ids that are not contiguous")
    model = TinyLM(offset=5, dtype=torch.float32)
    expected = math.exp(mean_loss(model, ids, 4, 6))
    close(score(answer, model, ids, 4, 6), expected, what="the perplexity of a model in float32")


def test_the_result_is_a_python_float(answer):
    ids, model = text(9, offset=7), TinyLM(offset=7)
    expect.kind(score(answer, model, ids, 2, 6), float, what="the perplexity")


def test_the_model_reads_in_eval_mode_and_each_mode_is_restored(answer):
    ids, model = text(23, offset=8), TinyLM(offset=8)
    model.mix[1] = nn.AlphaDropout(0.5).eval()  # It drops in train mode, and is no nn.Dropout.
    model.others = awkward_model(p=0.5)  # What takes no part in forward has its modes too.
    expected, changed = math.exp(mean_loss(model, ids, 3, 8)), []
    for mode in (True, False):
        model.train(mode)
        for part in (model.mix[1], model.others.batch_norm, model.others.norm):
            part.train(not mode)
        before = [module.training for module in model.modules()]
        result = score(answer, model, ids, 3, 8)
        in_train_mode = sum(training for _, training, _ in model.passes)
        model.passes.clear()
        came_in = f"the model in {'train' if mode else 'eval'} mode, its dropout in the other"
        expect.equal(in_train_mode, 0, what=f"the passes with dropout on; {came_in}")
        close(result, expected, what=f"the perplexity; {came_in}")
        after = {name or "the model": module.training for name, module in model.named_modules()}
        changed.append([name for name, old in zip(after, before, strict=True) if after[name] != old])
    what = "whose mode the call changed; the model in train mode and its dropout in eval mode, then the other way round"
    expect.equal(changed, [[], []], what=what)


def test_no_gradients_are_recorded_and_the_grad_mode_is_restored(answer):
    ids, model = text(23, offset=9), TinyLM(offset=9)
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            score(answer, model, ids, 3, 8)
            after = torch.is_grad_enabled()
        recorded = sum(grad for _, _, grad in model.passes)
        model.passes.clear()
        expect.equal(recorded, 0, what="how many passes recorded gradients")
        expect.equal(int(after), int(enabled), what=f"the grad mode after the call, {int(enabled)} before it")


def test_logits_in_half_precision_are_taken_to_float32(answer):
    ids = text(40, offset=10)
    for dtype in (torch.bfloat16, torch.float16):
        table = (8 * randn(VOCABULARY, VOCABULARY, offset=11)).round() / 8  # Exact in half precision.
        model = Bigrams(table.to(dtype))
        expected = math.exp(mean_loss(model, ids, 7, 16))
        close(score(answer, model, ids, 7, 16), expected, what=f"the perplexity from {dtype} logits")


class Bigrams(TinyLM):
    """Logits that depend on the token before alone."""

    def __init__(self, table):
        super().__init__(offset=12)
        self.table = table

    def forward(self, input_ids, **_):
        super().forward(input_ids)
        return SimpleNamespace(logits=self.table[input_ids])


def test_logits_that_are_far_apart_give_a_finite_result(answer):
    ids = text(60, offset=13)
    table = (8 * randn(VOCABULARY, VOCABULARY, offset=14)).round() / 8
    table[ids[3], ids[4]] -= 200.0
    losses = []
    for dtype in (torch.float32, torch.float64):
        model = Bigrams(table.to(dtype))
        expected = math.exp(mean_loss(model, ids, 7, 16))
        losses.append((score(answer, model, ids, 7, 16), expected))
    mine, expected = map(list, zip(*losses, strict=True))
    what = "the loss of a token that is 200 below the others"
    cut = False
    # What is added to p, or what p is clamped to, is at least 1e-45 in float32: the mean is cut by (200 - 104) / 59.
    with contextlib.suppress(TypeError, ValueError, RuntimeError):
        scores = torch.as_tensor(mine, dtype=torch.float64)
        cut = bool(((scores > 0) & (scores < torch.tensor(expected) / 4)).any())
    expect.true(not cut, what=what, actual="far less than 200", expected="about 200")
    what = "the perplexities with a token of loss 200, float32 and float64 logits"
    close(mine, expected, what=what, largest_loss=200.0)


def test_what_is_given_stays_as_it_is(answer):
    for dtype in (torch.float64, torch.bfloat16):
        ids, model = text(23, offset=15), TinyLM(offset=15, dtype=dtype).train()
        model.head.bias.requires_grad = False
        model.mix[1].eval()
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        with expect.untouched(f"a model in {dtype}", {"parameters": dict(model.named_parameters()), "ids": ids}):
            answer.perplexity(model, ids.unsqueeze(0), 3, 8)


def test_what_cannot_be_read_is_an_error(answer):
    ids, model = text(23, offset=16), TinyLM(offset=16)
    given = {"model": dict(model.named_parameters()), "ids": ids}
    for short in (ids[:1], ids[:0], ids[None, :1]):
        what = f"ids of shape {list(short.shape)}"
        with expect.untouched(what, given):
            expect.raises(ValueError, lambda short=short: answer.perplexity(model, short, 3, 8), what=what)
    for stride, context, length in ((119, 8, 23), (114, 113, 5), (113, 113, 23), (0, 8, 23), (-2, 8, 23)):
        said = []

        def call(stride=stride, context=context, length=length, said=said):
            model.passes.clear()
            try:
                return answer.perplexity(model, ids[:length], stride, context)
            except ValueError as error:
                said.append(str(error))
                raise

        case = f"stride {stride} with context {context}, {length} tokens"
        with expect.untouched(case, given):
            expect.raises(ValueError, call, what=case)
        expect.true(
            str(stride) in said[0],
            what=f"the message of the ValueError, {case}",
            actual="a message without the stride",  # Whatever else it says.
            expected=f"a message with {stride}, unlike {said[0]!r}",
        )


def test_a_text_may_be_nearly_certain_or_nearly_impossible(answer):
    ids = torch.arange(60) % VOCABULARY
    follows = torch.eye(VOCABULARY).roll(1, dims=1)
    for name, table, largest in (
        ("10 above the others", 10 * follows, 3.0),
        ("40 below the others", -40 * follows, 50.0),
        ("10 above the others, which are 500", 500 + 10 * follows, 500.0),
    ):
        model = Bigrams(table)
        expected = math.exp(mean_loss(model, ids, 7, 16))
        what = f"the perplexity of a text whose tokens are {name}"
        close(score(answer, model, ids, 7, 16), expected, what=what, largest_loss=largest)


def test_the_model_gets_ids_with_a_batch_dimension(answer):
    dimensions, dtypes, ids = [], set(), text(20, offset=19)

    class Noting(TinyLM):
        def forward(self, input_ids):
            dimensions.append(input_ids.dim())
            dtypes.add(str(input_ids.dtype))
            return super().forward(input_ids)

    model = Noting(offset=19)
    for given in (ids, ids.unsqueeze(0), ids[:4]):
        score(answer, model, given, 3, 8)
    expect.equal(sorted(set(dimensions)), [2], what="how many dimensions the ids have that the model is given")
    expect.equal(sorted(dtypes), ["torch.int64"], what="the dtype of the ids that the model is given")
