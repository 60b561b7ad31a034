"""1.01: two layers by a slow loop, on rectangular and square weights, with gradients for all five inputs."""

import torch
from torch import nn

from tunelings import expect
from tunelings.handson.awkward.models import OtherDefaultDevice
from tunelings.inputs import randn

N_IN, N_HIDDEN, N_OUT = 5, 6, 4
NAMES = ("x", "w1", "b1", "w2", "b2")


def network(n_in=N_IN, n_hidden=N_HIDDEN, n_out=N_OUT, offset=0):
    """Weights and biases in float64.

    The last hidden unit and the last logit are -1.5 times the first before any cut, so that in every row
    something negative is cut in the hidden layer, and some logit is negative, whatever the seed.
    """
    w1, b1 = randn(n_hidden, n_in, offset=offset + 1), randn(n_hidden, offset=offset + 2)
    w2, b2 = randn(n_out, n_hidden, offset=offset + 3), randn(n_out, offset=offset + 4)
    for tensor in (w1, b1, w2, b2):
        tensor[-1] = -1.5 * tensor[0]
    return w1, b1, w2, b2


def linear_loop(row, weight, bias):
    """One linear layer on one row of Python floats."""
    return [sum(a * w for a, w in zip(row, unit, strict=True)) + b for unit, b in zip(weight, bias, strict=True)]


def by_hand(x, w1, b1, w2, b2):
    """The logits row by row, number by number, in float64."""
    w1, b1, w2, b2 = (tensor.double().tolist() for tensor in (w1, b1, w2, b2))
    rows = []
    for row in x.double().reshape(-1, x.shape[-1]).tolist():
        hidden = [max(0.0, value) for value in linear_loop(row, w1, b1)]
        rows.append(linear_loop(hidden, w2, b2))
    return torch.tensor(rows, dtype=torch.float64).reshape(*x.shape[:-1], len(b2))


def summands(x, w1, b1, w2, b2):
    """The largest that the sums can grow to if nothing cancels: what rounding errors scale with."""
    hidden = x.double().abs() @ w1.double().abs().T + b1.double().abs()
    return float((hidden @ w2.double().abs().T + b2.double().abs()).max())


def logits_of(answer, x, parameters):
    """The answer's logits; none of the five tensors may be changed."""
    with expect.untouched("what was given", dict(zip(NAMES, (x, *parameters), strict=True))):
        return answer.forward(x, *parameters)


def places_of(tensor):
    return [getattr(tensor, name, None) for name in ("shape", "device", "layout")]


def check_logits(answer, x, parameters, what):
    expected, scale = by_hand(x, *parameters), summands(x, *parameters)
    logits = logits_of(answer, x, parameters)
    if places_of(logits) == places_of(expected) and logits.numel():
        error = float((logits.detach().double() - expected).abs().max() / scale)
        expect.note("wrong by as much as float32 rounds", 1e-10 < error < 1e-5)
    expect.close(logits, expected, what=what, scale=scale)


def test_two_layers_with_a_relu_between_them_give_the_logits(answer):
    x, parameters = randn(3, N_IN), network()
    expect.note("output_bias", parameters[-1])
    expect.note("smallest", float(by_hand(x, *parameters).min()))
    check_logits(answer, x, parameters, what="the logits of a batch of 3 rows")


def test_square_weights_are_transposed_like_any_other(answer):
    parameters = network(N_IN, N_IN, N_IN, offset=10)
    check_logits(answer, randn(3, N_IN, offset=10), parameters, what="the logits where all weights are square")


def test_layers_of_a_single_unit_keep_their_dimension(answer):
    for sizes in ((N_IN, N_HIDDEN, 1), (N_IN, 1, N_OUT), (1, N_HIDDEN, N_OUT)):
        parameters = network(*sizes, offset=130)
        what = "the logits with {} inputs, {} hidden units and {} outputs".format(*sizes)
        check_logits(answer, randn(3, sizes[0], offset=140), parameters, what=what)


def test_leading_dimensions_are_kept(answer):
    parameters = network(offset=20)
    for number, leading in enumerate([(2, 3), (2, 1, 3), (), (1,)]):
        x = randn(*leading, N_IN, offset=21 + 10 * number)
        check_logits(answer, x, parameters, what=f"the logits of x {list(x.shape)}")


def test_x_need_not_be_contiguous(answer):
    parameters = network(offset=70)
    x = randn(7, 3, N_IN, offset=70).transpose(0, 1)
    check_logits(answer, x, parameters, what="the logits of a transposed x, [3, 7, 5]")
    every_second = randn(3, 2 * N_IN, offset=76)[:, ::2]
    check_logits(answer, every_second, parameters, what="the logits of every second column of a tensor")


def test_the_dtype_of_x_is_kept(answer):
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        x, *parameters = (tensor.to(dtype) for tensor in [randn(3, N_IN, offset=100), *network(offset=100)])
        expected, scale = by_hand(x, *parameters), summands(x, *parameters)
        logits = expect.tensor(logits_of(answer, x, parameters), what=f"the logits of {dtype} inputs", dtype=dtype)
        # Two sums of at most 7 terms each, and a rounding after each layer.
        expect.close(logits, expected, what=f"the logits in {dtype}", scale=scale, terms=20)


def test_gradients_reach_all_five_inputs(answer):
    for leading in ((2, 3), ()):
        tensors = [randn(*leading, N_IN, offset=80), *network(offset=80)]
        upstream = randn(*leading, N_OUT, offset=86)
        leaves = [tensor.clone().requires_grad_() for tensor in tensors]
        logits = expect.tensor(logits_of(answer, leaves[0], leaves[1:]), what="the logits", shape=(*leading, N_OUT))
        gradients = reaching_gradients(logits, leaves, upstream, "the inputs that a gradient reaches")
        wanted = torch_gradients(tensors, upstream)
        # With every number positive nothing cancels and nothing is cut: what rounding errors scale with.
        scales = torch_gradients([tensor.abs() for tensor in tensors], upstream.abs())
        for name, mine, right, scale in zip(NAMES, gradients, wanted, scales, strict=True):
            what = f"the gradient of {name}" if leading else f"the gradient of {name}, where x is a single row"
            expect.close(mine, right, what=what, scale=float(scale.max()))


def reaching_gradients(logits, tensors, upstream, what):
    """The gradients of those of the five tensors that need one; each must have one."""
    leaves = {name: tensor for name, tensor in zip(NAMES, tensors, strict=True) if tensor.requires_grad}
    gradients = [None] * len(leaves)
    if logits.requires_grad:
        gradients = torch.autograd.grad((logits * upstream).sum(), list(leaves.values()), allow_unused=True)
    reached = [name for name, gradient in zip(leaves, gradients, strict=True) if gradient is not None]
    expect.equal(reached, list(leaves), what=what)
    return gradients


def torch_gradients(tensors, upstream):
    """The five gradients by torch's own modules."""
    x, w1, b1, w2, b2 = tensors
    model = nn.Sequential(nn.Linear(*w1.T.shape), nn.ReLU(), nn.Linear(*w2.T.shape)).double()
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    model.load_state_dict(dict(zip(names, (w1, b1, w2, b2), strict=True)))
    x = x.clone().requires_grad_()
    return torch.autograd.grad((model(x) * upstream).sum(), [x, *model.parameters()])


def test_the_device_of_x_is_kept(answer):
    x, parameters = randn(3, N_IN, offset=110), network(offset=110)
    with OtherDefaultDevice():
        logits = expect.tensor(logits_of(answer, x, parameters), what="the logits", shape=(3, N_OUT))
    expect.equal(str(logits.device), "cpu", what="the device of the logits, where x is on the CPU")


def test_no_rows_give_no_logits(answer):
    for leading in ((0, 3), (0,), (2, 0)):
        x = randn(*leading, N_IN, offset=120)
        what = f"the logits of x {list(x.shape)}"
        logits = logits_of(answer, x, network(offset=120))
        expect.tensor(logits, what=what, shape=(*leading, N_OUT), dtype=torch.float64)


def test_large_logits_are_not_cut_off(answer):
    x, parameters = 1e6 * randn(3, N_IN, offset=150), network(offset=150)
    check_logits(answer, x, parameters, what="the logits of an x with numbers around a million")
    parameters[3][1] = -torch.inf  # Such a bias rules a class out.
    logits = expect.tensor(logits_of(answer, x, parameters), what="the logits", shape=(3, N_OUT))
    expect.equal(logits[:, 1].tolist(), 3 * [-torch.inf], what="the logits of a class whose bias is -inf")


def test_the_weights_get_gradients_where_x_needs_none(answer):
    """As in training: the data needs no gradient, the weights do, and of them some may be frozen."""
    for needing in (NAMES[1:], ("w2", "b2"), ("b1",), ("x",)):
        tensors = [randn(3, N_IN, offset=160), *network(offset=160)]
        leaves = [tensor.requires_grad_(name in needing) for name, tensor in zip(NAMES, tensors, strict=True)]
        logits = expect.tensor(logits_of(answer, leaves[0], leaves[1:]), what="the logits", shape=(3, N_OUT))
        only = "x needs none" if len(needing) == 4 else f"only {' and '.join(needing)} need one"
        reaching_gradients(logits, leaves, 1.0, f"what a gradient reaches, where {only}")


def test_bfloat16_keeps_its_range(answer):
    """Float16 ends at 65504, and bfloat16 does not."""
    x, *parameters = (tensor.bfloat16() for tensor in [1e6 * randn(3, N_IN, offset=170), *network(offset=170)])
    logits = expect.tensor(logits_of(answer, x, parameters), what="the logits", dtype=torch.bfloat16)
    infinite = int((~logits.isfinite()).sum())
    expect.equal(infinite, 0, what="how many logits are inf or nan, in bfloat16 with an x of millions")


def test_a_second_call_sees_the_weights_as_they_are_then(answer):
    x, parameters = randn(3, N_IN, offset=180), network(offset=180)
    logits_of(answer, x, parameters)
    for number, parameter in enumerate(parameters):
        parameter.copy_(randn(*parameter.shape, offset=190 + number))
    check_logits(answer, x, parameters, what="the logits after the weights were changed in place")
