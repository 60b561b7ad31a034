"""3.01: the formula and its gradients in closed form, then what starts, trains, is dropped and stays.

Long: 17 checks, and the formula written out by hand.
"""

import math

import torch
from torch import nn

from tunelings import expect
from tunelings.inputs import randint, randn, seed

ATTRIBUTES = ("base", "lora_A", "lora_B", "scaling")


def linear(n_in, n_out, offset, bias=True, dtype=torch.float64):
    """A linear layer with random weights of its own."""
    layer = nn.Linear(n_in, n_out, bias=bias, dtype=dtype)
    for index, parameter in enumerate(layer.parameters()):
        put(parameter, randn(*parameter.shape, offset=offset + index))
    return layer


def put(parameter, values):
    with torch.no_grad():
        parameter.copy_(values)


def matrices(layer, base, r):
    """lora_A and lora_B, which must be there with the shape and the dtype that were promised."""
    there = [name for name in ATTRIBUTES if hasattr(layer, name)]
    what = "the attributes base, lora_A, lora_B and scaling"
    expect.true(len(there) == len(ATTRIBUTES), what=what, actual=there, expected=list(ATTRIBUTES))
    kinds = [type(matrix).__name__ for matrix in (layer.lora_A, layer.lora_B)]
    expect.equal(kinds, ["Parameter", "Parameter"], what="what lora_A and lora_B are")
    dtype = base.weight.dtype
    a = expect.tensor(layer.lora_A, what="lora_A", shape=[r, base.in_features], dtype=dtype)
    b = expect.tensor(layer.lora_B, what="lora_B", shape=[base.out_features, r], dtype=dtype)
    return a, b


def lora(answer, base, *args, **options):
    """A layer around `base`, whose values must stay as they are."""
    with expect.unchanged("the given layer", dict(base.named_parameters())):
        return answer.LoRALinear(base, *args, **options)


def of_large_rank(answer, base, r, **options):
    """A layer whose rank is above a side of its base. The words of a refusal are the answer's own: its kind counts."""
    try:
        return lora(answer, base, r=r, **options)
    except ValueError:
        expect.true(False, what=f"rank {r} for {base}", actual="a ValueError", expected="no error")


def output_of(layer, base, x):
    """The layer's output, after a look at whether it has changed its input or the values of its base."""
    with expect.untouched("the input", x), expect.unchanged("the given layer", dict(base.named_parameters())):
        return layer(x)


def put_random(layer, base, r, offset):
    """Fill A and B with random numbers, as if they had been trained."""
    for index, matrix in enumerate(matrices(layer, base, r)):
        put(matrix, randn(*matrix.shape, offset=offset + index))


def times(x, matrix):
    """matrix · x for each vector in x, as products that are summed up; in float64."""
    return (x.detach().double().unsqueeze(-2) * matrix.detach().double()).sum(-1)


def base_output(base, x):
    return times(x, base.weight) + (0 if base.bias is None else base.bias.detach().double())


def output_by_hand(layer, base, x, scale):
    return base_output(base, x) + scale * times(times(x, layer.lora_A), layer.lora_B)


def test_the_output_is_the_bases_plus_the_scaled_update(answer):
    base = linear(5, 4, offset=1)
    numbers = {"weight": (4, 5), "bias": (4,), "A": (2, 5), "B": (4, 2), "x": (3, 5)}
    whole = {name: randint(1, 6, shape, offset=i).double() for i, (name, shape) in enumerate(numbers.items(), 3)}
    put(base.weight, whole["weight"])
    put(base.bias, whole["bias"])
    layer = lora(answer, base, r=2, lora_alpha=5)
    for matrix, name in zip(matrices(layer, base, r=2), "AB", strict=True):
        put(matrix, whole[name])
    of_base, update = base_output(base, whole["x"]), times(times(whole["x"], whole["A"]), whole["B"])
    expect.note("base", of_base)
    expect.note("update", update)
    output = output_of(layer, base, whole["x"])
    expect.close(output, of_base + 2.5 * update, what="the output for r = 2 and lora_alpha = 5", terms=50)
    expect.close(layer.scaling, 2.5, what="scaling for r = 2 and lora_alpha = 5")
    none = lora(answer, base, r=2, lora_alpha=0)
    expect.close(none.scaling, 0.0, what="scaling for r = 2 and lora_alpha = 0")


def test_at_the_start_the_output_is_the_bases_because_b_is_zero(answer):
    base, x = linear(7, 3, offset=1), randn(5, 7, offset=3)
    layer = lora(answer, base, 2, 3, 0.0)
    not_zero = [int(matrix.count_nonzero()) for matrix in matrices(layer, base, r=2)]
    expect.note("numbers that are not zero in A and in B", not_zero)
    expect.close(output_of(layer, base, x), base_output(base, x), what="the output at the start", scale=20.0)
    expect.close(layer.lora_B, torch.zeros(3, 2), what="lora_B at the start")
    expect.equal(not_zero[0], 14, what="how many of the 14 numbers of lora_A are not 0 at the start")


def test_only_a_and_b_need_a_gradient(answer):
    base = linear(7, 3, offset=1)
    layer = lora(answer, base, r=2, lora_alpha=3)
    matrices(layer, base, r=2)
    shapes = sorted(list(p.shape) for p in layer.parameters() if p.requires_grad)
    expect.equal(shapes, [[2, 7], [3, 2]], what="the shapes of the module's parameters that need a gradient")
    shapes = sorted(list(p.shape) for p in base.parameters() if p.requires_grad)
    expect.equal(shapes, [], what="the shapes of the given layer's parameters that need a gradient")


def test_the_gradient_reaches_a_b_and_the_input(answer):
    base, scale = linear(5, 4, offset=1), 7 / 3
    layer = lora(answer, base, r=3, lora_alpha=7)
    put_random(layer, base, 3, offset=3)
    a, b = layer.lora_A, layer.lora_B
    x = randn(6, 5, offset=5).requires_grad_()
    upstream = randn(6, 4, offset=6)
    output = expect.tensor(output_of(layer, base, x), what="the output", shape=[6, 4])
    expect.true(output.requires_grad, what="an output with a graph", actual=output, expected="a graph")
    grads = torch.autograd.grad(output, [a, b, x], upstream, allow_unused=True, materialize_grads=True)
    into_hidden = scale * times(upstream, b.T)
    close = {"terms": 200, "scale": 50.0}
    expect.close(grads[0], into_hidden.T @ x.detach(), what="the gradient of lora_A", **close)
    expect.close(grads[1], scale * upstream.T @ times(x, a), what="the gradient of lora_B", **close)
    through_both = times(upstream, base.weight.T) + times(into_hidden, a.T)
    expect.close(grads[2], through_both, what="the gradient of the input", **close)


def test_training_moves_a_and_b_and_leaves_the_base_bit_for_bit(answer):
    lr, scale = 0.02, 3 / 4
    base = linear(5, 3, offset=1)
    layer = of_large_rank(answer, base, r=4, lora_alpha=3)
    layer_a, layer_b = matrices(layer, base, r=4)
    put(layer_a, 0.5 * randn(4, 5, offset=3))
    a, b = layer_a.detach().clone(), layer_b.detach().clone()
    optimizer = torch.optim.SGD(layer.parameters(), lr=lr)
    with expect.unchanged("the base", dict(base.named_parameters())):
        for step in range(3):
            x, target = randn(6, 5, offset=4 + step), randn(6, 3, offset=8 + step)
            error = base_output(base, x) + scale * times(times(x, a), b) - target
            new_a = a - lr * scale * times(error, b.T).T @ x
            b = b - lr * scale * error.T @ times(x, a)
            a = new_a
            optimizer.zero_grad()
            (0.5 * (output_of(layer, base, x) - target) ** 2).sum().backward()
            optimizer.step()
    expect.close(layer_b, b, what="lora_B after three steps of SGD", terms=2000, scale=10.0)
    expect.close(layer_a, a, what="lora_A after three steps of SGD", terms=2000, scale=10.0)


def test_the_given_layer_itself_is_the_base(answer):
    base, x = linear(4, 6, offset=1), randn(3, 4, offset=3)
    base.eval()
    base.weight.grad = randn(6, 4, offset=9)
    with expect.unchanged("the given layer", {**dict(base.named_parameters()), "weight.grad": base.weight.grad}):
        layer = answer.LoRALinear(base, r=2, lora_alpha=3)
    expect.equal(base.training, False, what="whether the given layer, in eval mode, is in train mode afterwards")
    put_random(layer, base, 2, offset=4)
    put(base.weight, randn(6, 4, offset=6))
    expected = output_by_hand(layer, base, x, scale=1.5)
    expect.close(
        output_of(layer, base, x), expected, what="the output after the given layer's weight was changed", scale=20.0
    )
    what = ".base, which must be the given layer itself"
    expect.true(layer.base is base, what=what, actual=str(layer.base), expected=str(base))


def test_dropout_leaves_the_bases_part_alone(answer):
    base, x = linear(6, 5, offset=1), randint(1, 10, (20, 6), offset=3).double()
    expected = base_output(base, x)
    layer = lora(answer, base, r=2, lora_alpha=3, lora_dropout=0.4).train()
    put(matrices(layer, base, r=2)[1], torch.zeros(5, 2))
    output = output_of(layer, base, x)
    zeros = output == 0 if isinstance(output, torch.Tensor) else torch.zeros(1)
    expect.note("some of the output is exactly 0", bool(zeros.any()))
    expect.close(output, expected, what="the output with B = 0 and lora_dropout = 0.4", scale=200.0)


def test_dropout_drops_inputs_of_the_update_and_scales_up_the_rest(answer):
    n = 20  # So many that even one mask for all rows drops something: 0.7^20 is 1 in 1,253.
    base, x, p = linear(n, n, offset=1), randint(1, 10, (50, n), offset=3).double(), 0.3
    a, b = (torch.linalg.qr(randn(n, n, offset=offset))[0] for offset in (4, 5))
    layer = lora(answer, base, r=n, lora_alpha=30, lora_dropout=p).train()
    for matrix, values in zip(matrices(layer, base, r=n), (a, b), strict=True):
        put(matrix, values)
    output = expect.tensor(output_of(layer, base, x), what="the output", shape=[50, n]).detach()
    update = (output - base_output(base, x)) / 1.5
    hidden = times(update, b.T)  # b and a are orthogonal: their transposes undo them.
    factors = times(hidden, a.T) / x
    factors[factors.abs() < 1e-9] = 0  # What rounding leaves of a 0 is no news to a reader.
    stages = {"input": factors, "hidden": hidden, "update": update}
    expect.note("where something is exactly 0", [k for k, v in stages.items() if (v.abs() < 1e-9).any()])
    expect.note("the largest factor", factors.max())
    dropped = factors.abs() < 0.5 / (1 - p)
    nearest = torch.where(dropped, 0.0, 1 / (1 - p))
    what = "what the update sees of each input, 0 or 1 / (1 - 0.3) times it"
    expect.close(factors, nearest, what=what, terms=2000, scale=20.0)
    rows = len({tuple(row) for row in dropped.tolist()})
    expect.true(rows >= 10, what="the different sets of inputs dropped in 50 rows", actual=rows, expected="at least 10")
    count = int(dropped.sum())  # 300 expected, and 5 standard deviations are 73: fewer than 1 in a million miss.
    expect.true(227 <= count <= 373, what="how many of 1000 inputs are dropped", actual=count, expected="227 to 373")
    alike = int((output_of(layer, base, x).detach() == output).all(dim=1).sum())
    # Two masks of a row are alike once in 53,000 (0.58^20), and 3 of 50 far less than once in a million.
    expect.true(alike < 3, what="the rows of 50 that lose the same inputs again", actual=alike, expected="fewer than 3")


def test_in_eval_mode_nothing_is_dropped(answer):
    base, x = linear(6, 4, offset=1), randn(5, 6, offset=3)
    layer = lora(answer, base, r=3, lora_alpha=8, lora_dropout=0.6)
    put_random(layer, base, 3, offset=4)
    expected = output_by_hand(layer, base, x, scale=8 / 3)
    output = output_of(layer.eval(), base, x)
    expect.close(output, expected, what="the output in eval mode with lora_dropout = 0.6", scale=50.0)
    put_random(layer, base, 3, offset=6)
    expected = output_by_hand(layer, base, x, scale=8 / 3)
    expect.close(
        output_of(layer, base, x), expected, what="the output in eval mode, lora_A and lora_B changed since", scale=50.0
    )


def test_a_is_drawn_uniformly_up_to_one_over_the_root_of_in_features(answer):
    base = linear(64, 3, offset=1)  # 1/√64 isn't 1/r.
    drawn = []
    for number in (None, None, 9, 9):
        if number is not None:
            torch.manual_seed(seed(number))
        layer = of_large_rank(answer, base, r=9, lora_alpha=3)
        drawn.append(matrices(layer, base, r=9)[0].detach() * 8)
    a = drawn[0]  # 576 numbers from -1 to 1. Each bound below holds for at least 999,999 draws in a million.
    largest, size, mean = float(a.abs().max()), float(a.square().mean().sqrt()), float(a.mean())
    what = "the largest |lora_A| times √in_features"
    expect.true(0.95 <= largest <= 1 + 1e-6, what=what, actual=largest, expected="0.95 to 1")
    what = "the root mean square of lora_A times √in_features"
    expect.true(abs(size - math.sqrt(1 / 3)) < 0.06, what=what, actual=size, expected="0.577, give or take 0.06")
    what = "the mean of lora_A times √in_features"
    expect.true(abs(mean) < 0.13, what=what, actual=mean, expected="0, give or take 0.13")
    same = int((drawn[0] == drawn[1]).sum())
    expect.equal(same, 0, what="how many of 576 numbers are the same in the next layer's lora_A")
    same = int((drawn[2] == drawn[3]).sum())
    expect.equal(same, 576, what="how many of 576 numbers come again with torch's generator set to the same seed")


def test_it_works_without_a_bias_for_any_rank_and_any_leading_dimensions(answer):
    inputs = (randn(4, offset=1), randn(1, 4, offset=2), randn(4, 3, 2, offset=3).transpose(0, 2))
    for r, x in zip((1, 9, 3), inputs, strict=True):
        base = linear(4, 3, offset=4, bias=False)
        layer = of_large_rank(answer, base, r=r, lora_alpha=0.7)
        put_random(layer, base, r, offset=5)
        expected = output_by_hand(layer, base, x, scale=0.7 / r)
        what = f"the output for x of shape {list(x.shape)}, rank {r}, no bias"
        expect.close(output_of(layer, base, x), expected, what=what, scale=50.0)


def test_a_and_b_and_the_output_have_the_bases_dtype(answer):
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        base = linear(5, 3, offset=1, dtype=dtype)
        layer = lora(answer, base, r=2, lora_alpha=3)
        put_random(layer, base, 2, offset=3)
        x = randn(4, 5, offset=5, dtype=dtype)
        output = expect.tensor(output_of(layer, base, x), what=f"the output of a layer in {dtype}", dtype=dtype)
        expected = output_by_hand(layer, base, x, scale=1.5)
        expect.close(output, expected, what=f"the output of a layer in {dtype}", terms=10, scale=10.0)


def test_a_and_b_are_on_the_bases_device(answer):
    base = nn.Linear(5, 3, device="meta", dtype=torch.bfloat16)
    layer = answer.LoRALinear(base, r=2, lora_alpha=3)
    devices = [str(matrix.device) for matrix in matrices(layer, base, r=2)]
    expect.equal(devices, ["meta", "meta"], what="the devices of lora_A and lora_B for a layer on `meta`")
    output = layer(torch.empty(4, 5, device="meta", dtype=torch.bfloat16))
    output = expect.tensor(output, what="the output on `meta`", shape=[4, 3], dtype=torch.bfloat16)
    expect.equal(str(output.device), "meta", what="the device of the output for a layer on `meta`")


def test_a_rank_below_one_is_an_error(answer):
    base = linear(5, 3, offset=1)
    for r in (0, -2):
        expect.raises(ValueError, lambda r=r: lora(answer, base, r=r, lora_alpha=3), what=f"the error for r = {r}")
    lacking = []
    for r in (0, -37):
        try:
            lora(answer, base, r, 3)
        except ValueError as error:
            lacking += [r] if str(r) not in str(error) else []
    expect.equal(lacking, [], what="which of the refused ranks 0 and -37 are missing from the message")


def test_the_input_is_not_changed(answer):
    base, x = linear(6, 3, offset=1), randn(20, 6, offset=3)
    layer = lora(answer, base, r=2, lora_alpha=3, lora_dropout=0.5).train()
    with expect.untouched("the input", x):
        layer(x)
    with expect.untouched("the input, in eval mode", x):
        layer.eval()(x)


def test_its_own_mode_decides_about_dropout_and_not_the_bases(answer):
    base, x = linear(6, 4, offset=1), randn(20, 6, offset=3)
    layer = lora(answer, base, r=3, lora_alpha=8, lora_dropout=0.6)
    put_random(layer, base, 3, offset=4)
    whole = output_by_hand(layer, base, x, scale=8 / 3)
    layer.eval().base.train()
    expect.close(output_of(layer, base, x), whole, what="the output in eval mode, its base in train mode", scale=50.0)
    layer.train().base.eval()  # As where what is frozen stays in eval mode.
    output = expect.tensor(output_of(layer, base, x), what="the output", shape=[20, 4])
    changed = int(((output - whole).abs() > 1e-6).any(dim=1).sum())
    # Of 20 rows all lose an input but for 0.4^6, which is 1 in 244.
    what = "the rows of 20 that dropout changes in train mode, the base in eval mode"
    expect.true(changed >= 15, what=what, actual=changed, expected="at least 15")


def test_the_gradient_reaches_a_b_and_the_input_in_eval_mode_too(answer):
    base, scale = linear(5, 4, offset=1), 7 / 3
    layer = lora(answer, base, r=3, lora_alpha=7, lora_dropout=0.5).eval()
    put_random(layer, base, 3, offset=3)
    x, upstream = randn(6, 5, offset=5).requires_grad_(), randn(6, 4, offset=6)
    output = expect.tensor(output_of(layer, base, x), what="the output in eval mode", shape=[6, 4])
    expect.true(output.requires_grad, what="an output with a graph, in eval mode", actual=output, expected="a graph")
    wanted = [layer.lora_A, layer.lora_B, x]
    grads = torch.autograd.grad(output, wanted, upstream, allow_unused=True, materialize_grads=True)
    into_hidden = scale * times(upstream, layer.lora_B.T)
    through_both = times(upstream, base.weight.T) + times(into_hidden, layer.lora_A.T)
    by_hand = [into_hidden.T @ x.detach(), scale * upstream.T @ times(x, layer.lora_A), through_both]
    for gradient, expected, name in zip(grads, by_hand, ("lora_A", "lora_B", "the input"), strict=True):
        what = f"the gradient of {name} in eval mode"
        expect.close(gradient, expected, what=what, terms=200, scale=50.0)
