"""2.01: the mean by Python's own floats, token by token; then padding that bites and shapes that broadcast.

An answer may compute in float32 whatever comes in, so tolerances are those of float32 throughout.
"""

import torch

from tunelings import expect
from tunelings.handson.awkward.models import OtherDefaultDevice
from tunelings.inputs import randint, randn

MASK = torch.tensor([[1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0, 0]])  # 4, 7 and 1 real tokens


def by_hand(hidden, mask):
    """The mean of the real tokens, added up one number at a time; zeros where there is none."""
    means = []
    for states, real in zip(hidden.double().tolist(), mask.tolist(), strict=True):
        kept = [state for state, counts in zip(states, real, strict=True) if counts]
        means.append([sum(state[h] for state in kept) / max(len(kept), 1) for h in range(hidden.shape[2])])
    return torch.tensor(means, dtype=torch.float64)


def pooled(answer, hidden, mask):
    """The answer's result, which must be a tensor of shape [B, H]; hidden and mask must be as they were."""
    mask = mask.clone()  # One that is changed in place must not reach the next check.
    with expect.untouched("what was given", {"hidden": hidden, "attention_mask": mask}):
        result = answer.mean_pool(hidden, mask)
    return expect.tensor(result, what="the pooled states", shape=(hidden.shape[0], hidden.shape[2]))


def close(actual, expected, what, scale=4.0):
    expect.close(actual, expected, what=what, scale=scale, terms=20, dtype=torch.float32)


def test_each_text_gets_the_mean_of_its_real_tokens(answer):
    hidden = randn(3, 7, 4, offset=1)
    hidden[0, [1, 5]] = 0  # A vector of zeros is no sign of padding, and may stand there too.
    result = pooled(answer, hidden, MASK)
    # Tells texts that are cut to the shortest, here one token, from the first token alone.
    expect.note("without the text of one token", pooled(answer, hidden[:2], MASK[:2]))
    close(result, by_hand(hidden, MASK), what="the means of texts of 4, 7 and 1 tokens, padded to 7")


def test_the_real_tokens_may_stand_anywhere(answer):
    hidden = randn(3, 7, 4, offset=2)
    left = MASK.flip(1)
    close(pooled(answer, hidden, left), by_hand(hidden, left), what="the means where padding comes first")
    holes = torch.tensor([[0, 1, 0, 0, 1, 1, 0], [1, 0, 1, 1, 0, 1, 1], [0, 0, 0, 1, 0, 0, 1]])
    close(pooled(answer, hidden, holes), by_hand(hidden, holes), what="the means where padding comes between")


def test_the_mask_is_for_positions_and_not_for_features(answer):
    square = randn(3, 5, 5, offset=3)
    mask = torch.tensor([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0], [0, 1, 1, 1, 1]])
    close(pooled(answer, square, mask), by_hand(square, mask), what="the means of 3 texts with T = H = 5")
    cube = randn(4, 4, 4, offset=4)
    mask = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 0]])
    close(pooled(answer, cube, mask), by_hand(cube, mask), what="the means of 4 texts with B = T = H = 4")


def test_a_text_without_real_tokens_gets_zeros(answer):
    mask = torch.tensor([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        hidden = randint(-100, 100, (3, 5, 4), offset=5).to(dtype) / 8
        result, expected = pooled(answer, hidden, mask), by_hand(hidden, mask)
        what = f"the means where the second text has no token, in {dtype}"
        expect.close(result, expected, what=what, scale=13.0, terms=20, dtype=torch.float32)
    alone = randn(1, 5, 4, offset=24)
    alone[0, 0, 1], alone[0, 2, 0], alone[0, 4, 3] = torch.nan, torch.inf, torch.nan
    result = pooled(answer, alone, torch.zeros(1, 5, dtype=torch.int64))
    close(result, torch.zeros(1, 4), what="the mean of one text alone, all padding, with nan and inf in it")


def test_what_stands_in_the_padding_never_matters(answer):
    hidden, mask = randn(3, 7, 4, offset=6), MASK
    expected = by_hand(hidden, mask)
    large = hidden.masked_fill(mask.unsqueeze(-1) == 0, -3e30)
    close(pooled(answer, large, mask), expected, what="the means where padding holds -3e30")
    strange = hidden.clone()
    strange[0, 4, 1], strange[0, 6, 2], strange[2, 3, 0] = torch.nan, torch.inf, -torch.inf
    close(pooled(answer, strange, mask), expected, what="the means where padding holds nan, inf and -inf")


def test_nan_and_inf_in_a_real_token_reach_the_mean(answer):
    hidden = randn(3, 7, 4, offset=19)
    hidden[0, 2, 1], hidden[1, 6, 0], hidden[1, 3, 2], hidden[2, 0, 3] = torch.nan, torch.inf, -torch.inf, torch.nan
    result, expected = pooled(answer, hidden, MASK), by_hand(hidden, MASK)
    expect.equal(result.isnan().tolist(), expected.isnan().tolist(), what="where the means are nan, as a real token is")
    numbers = ~expected.isnan()
    close(result[numbers], expected[numbers], what="the means beside the nan, two of them inf and -inf")


def test_the_mask_may_be_bool(answer):
    hidden, mask = randn(3, 7, 4, offset=7), MASK.flip(1)
    close(pooled(answer, hidden, mask.bool()), by_hand(hidden, mask), what="the means with a mask of bools")


def test_real_tokens_share_the_gradient_and_padding_gets_none(answer):
    hidden, mask = randn(3, 7, 4, offset=8), MASK.clone()
    mask[1, 2:4] = 0
    hidden[0, 5, 1], hidden[2, 3] = torch.nan, torch.inf
    upstream = randn(3, 4, offset=9)
    share = torch.zeros(3, 7, 4, dtype=torch.float64)
    for b, t in mask.nonzero().tolist():
        share[b, t] = upstream[b] / int(mask[b].sum())
    leaf = hidden.clone().requires_grad_()
    result = pooled(answer, leaf, mask)
    attached = "the pooled states, which must be attached to the graph of hidden"
    expect.true(result.requires_grad, what=attached, actual=result, expected="a tensor that backward() can start from")
    (gradient,) = torch.autograd.grad(result, leaf, upstream.to(result.dtype), allow_unused=True)
    expect.true(gradient is not None, what=attached, actual=result, expected="a tensor computed from hidden")
    close(gradient, share, what="the gradient of hidden")
    padding = gradient[mask == 0]
    expect.close(padding, torch.zeros_like(padding), what="the gradient of the padding")


def test_half_precision_is_summed_in_float32(answer):
    mask = torch.ones(2, 303, dtype=torch.int64)
    mask[0, :2], mask[1, 301:] = 0, 0  # 301 real tokens: bfloat16 holds 300 and 302, not 301
    for dtype, unit, more in ((torch.bfloat16, 1 / 64, 60), (torch.float16, 4.0, 8)):
        # As many tokens lie above a number of the dtype as below it, equally far, and one is `more` above it: the mean
        # rounds down to that number, and is so close to the next that rounding in half precision carries it there.
        mean, far = randint(96, 128, (2, 1, 48), offset=10), randint(1, 32, (2, 150, 48), offset=11)
        tokens = torch.cat([mean + far, mean + more, mean - far], dim=1)
        padding = randint(-100, 100, (2, 2, 48), offset=12)
        hidden = torch.stack([torch.cat([padding[0], tokens[0]]), torch.cat([tokens[1], padding[1]])]) * unit
        result = pooled(answer, hidden.to(dtype), mask)
        expect.tensor(result, what=f"the pooled states of {dtype} hidden states", dtype=dtype)
        # So float32's own error is all that is left before the rounding, which takes it away.
        what = f"the means of 301 tokens in {dtype}"
        expected = mean[:, 0].double() * unit
        expect.close(result.double(), expected, what=what, terms=301, dtype=torch.float32)
        result = pooled(answer, (tokens * unit).to(dtype), torch.ones(2, 301, dtype=torch.int64))
        expect.close(result.double(), expected, what=f"{what}, without padding", terms=301, dtype=torch.float32)


def test_the_dtype_of_hidden_is_kept(answer):
    for dtype in (torch.bfloat16, torch.float16, torch.float64, torch.float32):
        for mask in (MASK.clone(), MASK.bool()):
            result = pooled(answer, randn(3, 7, 4, offset=13, dtype=dtype), mask)
            expect.tensor(result, what=f"the pooled states of {dtype} hidden states", dtype=dtype, shape=(3, 4))


def test_a_batch_of_one_and_a_layout_that_is_not_contiguous(answer):
    alone = randn(1, 1, 1, offset=14)
    close(pooled(answer, alone, torch.tensor([[1]])), alone[0], what="the mean of one text of one token, H = 1")
    one = randn(1, 6, 4, offset=15)
    mask = torch.tensor([[0, 1, 1, 1, 0, 0]])
    close(pooled(answer, one, mask), by_hand(one, mask), what="the mean of a batch of one text")
    narrow = randn(3, 7, 1, offset=23)
    close(pooled(answer, narrow, MASK), by_hand(narrow, MASK), what="the means of three texts with H = 1")
    first = randn(7, 3, 4, offset=16).transpose(0, 1)
    mask = MASK.T.contiguous().T
    close(pooled(answer, first, mask), by_hand(first, mask), what="the means where hidden is a transposed view")


def test_neither_hidden_nor_the_mask_is_changed(answer):
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        for mask in (MASK.clone(), MASK.bool()):
            pooled(answer, randn(3, 7, 4, offset=17).to(dtype), mask)


def test_the_result_is_on_the_device_of_hidden(answer):
    hidden = randn(3, 7, 4, offset=18)
    with OtherDefaultDevice():
        result = pooled(answer, hidden, MASK)
    expect.equal(str(result.device), "cpu", what="the device of the result (hidden: cpu, torch's default: meta)")


def test_texts_of_one_place_are_masked_too(answer):
    hidden, mask = randn(3, 1, 4, offset=20), torch.tensor([[1], [0], [1]])
    close(pooled(answer, hidden, mask), by_hand(hidden, mask), what="the means where T = 1 and the second is padding")


def test_a_text_without_real_tokens_takes_no_gradient_from_the_others(answer):
    mask = torch.tensor([[1, 1, 0], [0, 0, 0], [0, 1, 0]])
    share = torch.tensor([[0.5, 0.5, 0], [0, 0, 0], [0, 1, 0]]).unsqueeze(-1).expand(3, 3, 4)
    for dtype, given in ((torch.float32, mask), (torch.bfloat16, mask.bool())):
        leaf = randn(3, 3, 4, offset=21).to(dtype).requires_grad_()
        result = pooled(answer, leaf, given)
        gradient = None
        if result.requires_grad:
            (gradient,) = torch.autograd.grad(result.sum(), leaf, allow_unused=True)
        attached, wanted = f"the graph of hidden in {dtype}", "a tensor computed from hidden"
        expect.true(gradient is not None, what=attached, actual=result, expected=wanted)
        close(gradient, share, what=f"the gradient of hidden in {dtype}, where the second text has no token")


def test_long_texts_are_pooled_whole(answer):
    hidden, mask = randn(2, 1100, 3, offset=22), torch.ones(2, 1100, dtype=torch.int64)
    mask[0, 1050:] = mask[1, :90] = 0
    close(pooled(answer, hidden, mask), by_hand(hidden, mask), what="the means of texts of 1,050 and 1,010 tokens")
