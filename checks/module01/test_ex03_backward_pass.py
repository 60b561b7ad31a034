"""1.03: gradients by hand, compared with autograd in float64."""

import contextlib
from unittest import mock

import pytest
import torch
import torch.nn.functional as F

from tunelings import expect
from tunelings.handson.awkward.models import OtherDefaultDevice
from tunelings.inputs import randint, randn

N, IN, OUT, CLASSES = 3, 4, 2, 5


def layer(n=N, n_in=IN, n_out=OUT, dtype=torch.float64):
    """The input, the weight and the upstream gradient of a linear layer."""
    return (
        randn(n, n_in, offset=1, dtype=dtype),
        randn(n_out, n_in, offset=2, dtype=dtype),
        randn(n, n_out, offset=3, dtype=dtype),
    )


def linear_by_autograd(x, w, grad_out):
    leaves = [x.detach().requires_grad_(), w.detach().requires_grad_()]
    bias = torch.zeros(w.shape[0], dtype=w.dtype, requires_grad=True)
    return torch.autograd.grad(F.linear(*leaves, bias), [*leaves, bias], grad_out)


def three(result):
    """The three gradients that linear_backward returned."""
    is_tuple = isinstance(result, tuple | list)
    count = len(result) if is_tuple else result
    expect.true(is_tuple and count == 3, what="the number of gradients in the tuple", actual=count, expected=3)
    return result


def linear_by_answer(answer, x, w, grad_out):
    """The three gradients of the answer; x, w and grad_out must be as they were."""
    with expect.untouched("what was given", {"x": x, "w": w, "grad_out": grad_out}):
        return three(answer.linear_backward(x, w, grad_out))


def cross_entropy_by_answer(answer, logits, targets):
    """The gradient of the answer; logits and targets must be as they were."""
    with expect.untouched("what was given", {"logits": logits, "targets": targets}):
        return answer.cross_entropy_backward(logits, targets)


def examples(n=7, classes=CLASSES, dtype=torch.float64):
    """Logits and targets; with 7 rows and 5 classes some rows share a target."""
    return 2 * randn(n, classes, offset=4, dtype=dtype), randint(0, classes, [n], offset=5)


def cross_entropy_by_autograd(logits, targets):
    logits = logits.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(logits, targets), logits)[0]


def test_the_weight_gets_the_gradient_that_autograd_finds(answer):
    x, w, grad_out = layer()
    expected = linear_by_autograd(x, w, grad_out)[1]
    expect.note("N", N)
    grad_w = linear_by_answer(answer, x, w, grad_out)[1]
    expect.close(grad_w, expected, what="grad_w", scale=10.0)


def test_the_bias_gets_the_gradient_that_autograd_finds(answer):
    x, w, grad_out = layer()
    expected = linear_by_autograd(x, w, grad_out)[2]
    expect.note("N", N)
    grad_b = linear_by_answer(answer, x, w, grad_out)[2]
    expect.close(grad_b, expected, what="grad_b", scale=10.0)


def test_the_input_gets_the_gradient_that_autograd_finds(answer):
    x, w, grad_out = layer()
    expected = linear_by_autograd(x, w, grad_out)[0]
    expect.note("N", N)
    grad_x = linear_by_answer(answer, x, w, grad_out)[0]
    expect.close(grad_x, expected, what="grad_x", scale=10.0)


def test_a_square_layer_and_transposed_views_get_the_same_gradients(answer):
    """Where every shape is [5, 5], a transpose in the wrong place shows only in the numbers."""
    x, w, grad_out = (t.T for t in layer(5, 5, 5))
    by_autograd = linear_by_autograd(x, w, grad_out)
    by_answer = linear_by_answer(answer, x, w, grad_out)
    for name, actual, expected in zip(["grad_x", "grad_w", "grad_b"], by_answer, by_autograd, strict=True):
        expect.close(actual, expected, what=f"{name} of a square layer", scale=10.0)


def test_the_logits_get_the_gradient_of_the_mean_loss(answer):
    logits, targets = examples()
    expected = cross_entropy_by_autograd(logits, targets)
    grad_logits = cross_entropy_by_answer(answer, logits, targets)
    expect.note("N", len(targets))
    expect.close(grad_logits, expected, what="grad_logits", scale=1.0)


def test_the_mean_is_over_the_rows_for_any_number_of_rows_and_classes(answer):
    for n, classes in [(1, 3), (4, 2), (6, 6), (2, 11), (3, 1)]:
        logits, targets = examples(n, classes)
        grad_logits = cross_entropy_by_answer(answer, logits, targets)
        expected = cross_entropy_by_autograd(logits, targets)
        expect.close(grad_logits, expected, what=f"grad_logits for {n} rows, {classes} classes", scale=1.0)


def test_two_layers_and_the_loss_chain_into_one_backward_pass(answer):
    """The output of one function is the `grad_out` of the next, as in a real backward pass."""
    w1, w2 = randn(6, IN, offset=6), randn(CLASSES, 6, offset=7)
    x, targets = randn(7, IN, offset=8), randint(0, CLASSES, [7], offset=9)
    leaves = [x.clone().requires_grad_(), w1.clone().requires_grad_(), w2.clone().requires_grad_()]
    loss = F.cross_entropy(F.linear(F.linear(leaves[0], leaves[1]).relu(), leaves[2]), targets)
    expected_x, expected_w1, expected_w2 = torch.autograd.grad(loss, leaves)

    before = x @ w1.T
    hidden = before.relu()
    grad_logits = cross_entropy_by_answer(answer, hidden @ w2.T, targets)
    grad_logits = expect.tensor(grad_logits, what="grad_logits", shape=[7, CLASSES])
    grad_hidden, grad_w2, _ = linear_by_answer(answer, hidden, w2, grad_logits)
    grad_hidden = expect.tensor(grad_hidden, what="grad_x of the second layer", shape=[7, 6])
    grad_x, grad_w1, _ = linear_by_answer(answer, x, w1, grad_hidden * (before > 0))
    expect.close(grad_w2, expected_w2, what="grad_w of the second layer", scale=10.0)
    expect.close(grad_w1, expected_w1, what="grad_w of the first layer", scale=10.0)
    expect.close(grad_x, expected_x, what="grad_x of the first layer", scale=10.0)


def test_large_logits_give_finite_gradients(answer):
    """exp(1e4) is infinite and exp(-1e4) is zero; neither may reach the result."""
    logits = torch.tensor([[1e4, -3.0, 9.5e3], [-1e4, -1e4, -1e4], [0.5, -0.25, 1.0]], dtype=torch.float64)
    targets = torch.tensor([0, 2, 1])
    expected = cross_entropy_by_autograd(logits, targets)
    grad_logits = cross_entropy_by_answer(answer, logits, targets)
    # A logit of 1e4 is itself rounded by eps * 1e4, and so is logit - logsumexp.
    expect.close(grad_logits, expected, what="grad_logits for logits up to 1e4", scale=1e4)


def test_float32_and_both_half_precisions_are_kept(answer):
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        inputs = layer(dtype=dtype)
        expected = linear_by_autograd(*(t.double() for t in inputs))
        summands = linear_by_autograd(*(t.double().abs() for t in inputs))  # The sums of |summand|.
        for index, actual in enumerate(linear_by_answer(answer, *inputs)):
            name, scale = ["grad_x", "grad_w", "grad_b"][index], float(summands[index].max())
            expect.tensor(actual, what=name, dtype=dtype)
            expect.close(actual, expected[index], what=f"{name} in {dtype}", terms=4, scale=scale)
        logits, targets = examples(dtype=dtype)
        actual = expect.tensor(cross_entropy_by_answer(answer, logits, targets), what="grad_logits", dtype=dtype)
        value = cross_entropy_by_autograd(logits.double(), targets)
        # Logits of up to about 8 are rounded before exp; the entries are at most 1 / N.
        expect.close(actual, value, what=f"grad_logits in {dtype}", terms=20, scale=1 / len(targets))


AUTOGRAD = {
    torch.autograd: ("grad", "backward"),
    torch.autograd.functional: ("vjp", "jvp", "jacobian", "hessian", "vhp", "hvp"),
    torch.func: ("grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "linearize"),
    torch.Tensor: ("backward",),
}


@contextlib.contextmanager
def autograd_refused(function):
    """Calls of autograd fail; in inference mode even one that was imported by name finds no graph."""

    called = expect.CheckFailed(f"calls of autograd by {function}", 0, 1)

    def refuse(*_, **__):
        raise called

    with contextlib.ExitStack() as patches:
        for owner, names in AUTOGRAD.items():
            for name in names:
                patches.enter_context(mock.patch.object(owner, name, refuse))
        patches.enter_context(torch.inference_mode())
        try:
            yield
        except RuntimeError as error:
            if "does not require grad" in str(error):
                raise called from error
            raise


def test_autograd_is_not_called(answer):
    inputs, (logits, targets) = layer(), examples()
    expected = linear_by_autograd(*inputs)
    with autograd_refused("linear_backward"):
        gradients = linear_by_answer(answer, *inputs)
    for name, actual, right in zip(["grad_x", "grad_w", "grad_b"], gradients, expected, strict=True):
        # What finds no graph may give zeros in place of an error.
        expect.close(actual, right, what=f"{name} where autograd records nothing", scale=10.0)
    expected = cross_entropy_by_autograd(logits, targets)
    with autograd_refused("cross_entropy_backward"):
        grad_logits = cross_entropy_by_answer(answer, logits, targets)
    expect.close(grad_logits, expected, what="grad_logits where autograd records nothing", scale=1.0)


class NeedsNumbers(Exception):
    """The answer reads an entry as a Python number, which is right, and which `meta` does not have."""


@contextlib.contextmanager
def numbers_asked_for():
    try:
        yield
    except (RuntimeError, NotImplementedError) as error:
        unreadable = ("on meta tensors", "out of meta tensor", "with Meta tensors", "data-independent implementation")
        if any(text in str(error) for text in unreadable):
            raise NeedsNumbers from error
        raise


@pytest.mark.timeout(30)  # The first tensor on meta imports torch's compiler: seconds on a slow machine.
def test_the_results_are_on_the_device_of_the_inputs(answer):
    """`meta` tensors have shapes and no numbers; one that was made on the CPU does not mix with them."""
    with contextlib.suppress(NeedsNumbers):
        with numbers_asked_for():
            gradients = three(answer.linear_backward(*(t.to("meta") for t in layer())))
        for name, gradient in zip(["grad_x", "grad_w", "grad_b"], gradients, strict=True):
            gradient = expect.tensor(gradient, what=name)
            expect.equal(gradient.device.type, "meta", what=f"the device of {name}")
    with contextlib.suppress(NeedsNumbers):
        with numbers_asked_for():
            gradient = answer.cross_entropy_backward(*(t.to("meta") for t in examples()))
        gradient = expect.tensor(gradient, what="grad_logits")
        expect.equal(gradient.device.type, "meta", what="the device of grad_logits")
    inputs, (logits, targets) = layer(), examples()
    with OtherDefaultDevice():
        gradients = [*linear_by_answer(answer, *inputs), cross_entropy_by_answer(answer, logits, targets)]
    for name, gradient in zip(["grad_x", "grad_w", "grad_b", "grad_logits"], gradients, strict=True):
        gradient = expect.tensor(gradient, what=name)
        expect.equal(gradient.device.type, "cpu", what=f"the device of {name}, where another one is the default")


def test_a_dimension_of_one_is_kept(answer):
    for sizes in ((1, IN, OUT), (N, 1, OUT), (N, IN, 1)):
        x, w, grad_out = layer(*sizes)
        expected = linear_by_autograd(x, w, grad_out)
        given = "{} rows, {} inputs and {} outputs".format(*sizes)
        for index, actual in enumerate(linear_by_answer(answer, x, w, grad_out)):
            name = ["grad_x", "grad_w", "grad_b"][index]
            expect.close(actual, expected[index], what=f"{name} of {given}", scale=10.0)


def test_gradients_of_any_size_come_out_as_they_are(answer):
    for size in (1e6, 1e-30):
        x, w, grad_out = layer()
        expected = linear_by_autograd(x, w, size * grad_out)
        for index, actual in enumerate(linear_by_answer(answer, x, w, size * grad_out)):
            what = f"{['grad_x', 'grad_w', 'grad_b'][index]} where grad_out is about {size:g}"
            expect.close(actual, expected[index], what=what, scale=10.0 * size)
