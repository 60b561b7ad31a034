"""1.05: one batch, one update; judged by the weights, not by the loss alone.

Long: 22 checks, one promise each, with models that only these need.
"""

import copy
from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import nn

from tunelings import expect
from tunelings.handson.awkward import models as awkward
from tunelings.inputs import randint, randn, seed

LR = 0.3


def step(answer, model, batch, loss_fn, optimizer):
    """The answer's step on this batch, which it must not change."""
    with expect.untouched("the batch", dict(zip(("inputs", "targets"), batch, strict=True))):
        return answer.training_step(model, batch, loss_fn, optimizer)


def linear(n_in=4, n_out=2):
    torch.manual_seed(seed())
    return nn.Linear(n_in, n_out, dtype=torch.float64)


def half_squared_error(outputs, targets):
    return 0.5 * ((outputs - targets) ** 2).sum()


def half_squared_error_gradient(weight, bias, inputs, targets):
    """Of weight and bias of a linear model, in closed form."""
    error = inputs @ weight.T + bias - targets
    return error.T @ inputs, error.sum(0)


def batch_with_error(model, offset):
    """A batch whose weight gradient, for the model as it is now, is positive with two decimals; and it."""
    inputs = randint(1, 10, (3, 4), offset) / 10
    error = randint(1, 10, (3, 2), offset + 1) / 10
    inputs, error = inputs.double(), error.double()
    targets = (inputs @ model.weight.T + model.bias).detach() - error
    return (inputs, targets), error.T @ inputs


def gradient_used(before, after):
    """What plain SGD with rate LR took for the gradient of a weight that it moved."""
    return (before - after.detach()) / LR


def watch(model, optimizer, loss_fn):
    """What happens in a step, in order; what `.grad` of the weight holds at each update; the loss_fn to use."""
    events, gradients = [], []
    weight = next(model.parameters())

    def at_step(*_):
        events.append("step")
        gradients.append(torch.zeros_like(weight) if weight.grad is None else weight.grad.detach().clone())

    def watched_loss(outputs, targets):
        events.append("loss")
        return loss_fn(outputs, targets)

    first_layer = next(module for module in model.modules() if not list(module.children()))
    first_layer.register_forward_hook(lambda *_: events.append("forward"))
    weight.register_post_accumulate_grad_hook(lambda _: events.append("backward"))
    optimizer.register_step_post_hook(at_step)
    return events, gradients, watched_loss


def test_one_step_moves_the_weights_against_the_gradient(answer):
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    inputs, targets = randn(3, 4, offset=1), 3 * randn(3, 2, offset=2)
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    grad_weight, grad_bias = half_squared_error_gradient(weight, bias, inputs, targets)
    events, gradients, loss_fn = watch(model, optimizer, half_squared_error)
    step(answer, model, (inputs, targets), loss_fn, optimizer)
    expect.note("events", events)
    expect.note("gradient_at_step", gradients)
    expect.close(model.weight, weight - LR * grad_weight, what="the weight after one step", scale=20.0)
    expect.close(model.bias, bias - LR * grad_bias, what="the bias after one step", scale=20.0)


def test_old_gradients_do_not_leak_into_the_step(answer):
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    batch, first = batch_with_error(model, offset=1)
    step(answer, model, batch, half_squared_error, optimizer)
    expect.note("step_before", first)
    batch, second = batch_with_error(model, offset=3)
    before = model.weight.detach().clone()
    step(answer, model, batch, half_squared_error, optimizer)
    used = gradient_used(before, model.weight)
    expect.close(used, second, what="the gradient that the second step used", scale=20.0)


def test_a_gradient_left_by_something_else_has_no_effect(answer):
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    batch, gradient = batch_with_error(model, offset=1)
    left = randint(1, 100, (2, 4), offset=3).double() / 100
    model.weight.grad, model.bias.grad = left.clone(), randn(2, offset=4)
    expect.note("left", left)
    before = model.weight.detach().clone()
    step(answer, model, batch, half_squared_error, optimizer)
    used = gradient_used(before, model.weight)
    expect.close(used, gradient, what="the gradient that the first step used", scale=20.0)


def test_the_loss_is_that_before_the_update_as_a_python_float(answer):
    def poisson_loss(outputs, targets):  # not the same with its arguments exchanged
        return (outputs.exp() - targets * outputs).mean()

    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    inputs, targets = randn(3, 7, 4, offset=1), randint(1, 6, (3, 7, 2), offset=2).double()
    before = poisson_loss(inputs @ model.weight.detach().T + model.bias.detach(), targets)
    loss = step(answer, model, (inputs, targets), poisson_loss, optimizer)
    if isinstance(loss, float) and abs(loss - before.item()) > 1e-12:  # Tells a rounded loss from a converted one.
        expect.note("off_by", loss - before.item())
    expect.close(loss, before, what="the returned loss", scale=20.0)
    expect.kind(loss, float, what="the returned loss")


def test_the_loss_function_gets_outputs_and_targets_as_they_are(answer):
    model = awkward.awkward_model(outputs=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    inputs, targets = awkward.token_batch(5), randint(-19, 20, (5, 1), offset=2) / 10
    gets = []

    def watched_loss(*args):
        gets.append([f"{arg.dtype} {list(arg.shape)}".removeprefix("torch.") for arg in args])
        outputs, given = args
        expect.close(given, targets, what="the targets that loss_fn gets", terms=0)
        return half_squared_error(outputs, given)

    step(answer, model, (inputs, targets), watched_loss, optimizer)
    expect.equal(gets, [["float64 [5, 1]", "float32 [5, 1]"]], what="what loss_fn gets, call by call")


def norm_model():
    """Linear, then BatchNorm with statistics that are not 0 and 1."""
    model = nn.Sequential(OrderedDict(linear=linear(4, 3), norm=nn.BatchNorm1d(3, momentum=0.3)))
    model.double()
    model.norm.running_mean.copy_(randn(3, offset=5))
    return model


def test_batchnorm_sees_the_batch_once_whatever_mode_the_model_came_in(answer):
    inputs, targets = randn(5, 4, offset=1), randn(5, 3, offset=2)
    moved, expected, in_train_mode, modes = [], [], [], []
    for comes_in_train in (True, False):
        model = norm_model().train(comes_in_train)
        model.register_forward_pre_hook(lambda model, _: modes.append([module.training for module in model.modules()]))
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        batch_mean = model.linear(inputs).detach().mean(0)
        expected.append(0.7 * model.norm.running_mean + 0.3 * batch_mean)
        model.norm.register_forward_hook(lambda module, *_: in_train_mode.append(int(module.training)))
        step(answer, model, (inputs, targets), half_squared_error, optimizer)
        moved.append(model.norm.running_mean.clone())
    expect.note("in_train_mode", in_train_mode)
    expect.note("modes", modes)
    expect.close(
        torch.stack(moved),
        torch.stack(expected),
        what="BatchNorm's running mean (model came in train, in eval mode)",
        scale=10.0,
    )


def test_the_model_is_left_in_train_mode(answer):
    whole, part, training = norm_model().eval(), norm_model().train(), norm_model().train()
    part.norm.eval()
    optimizer = torch.optim.SGD(training.parameters(), lr=LR)
    step(answer, training, (randn(5, 4, offset=1), randn(5, 3, offset=2)), half_squared_error, optimizer)
    expect.note("stays_in_train_mode", training.training)
    for came_in, model in (("the model", whole), ("only BatchNorm", part)):
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        in_train_mode = []
        model.norm.register_forward_hook(lambda module, *_, seen=in_train_mode: seen.append(int(module.training)))
        step(answer, model, (randn(5, 4, offset=1), randn(5, 3, offset=2)), half_squared_error, optimizer)
        expect.note("in_train_mode", in_train_mode)
        in_eval_mode = [name or "the model" for name, module in model.named_modules() if not module.training]
        expect.equal(in_eval_mode, [], what=f"what is not in train mode on return, where {came_in} came in eval mode")
        expect.equal(
            in_train_mode, [1], what=f"BatchNorm's mode (1: train) in each pass, where {came_in} came in eval mode"
        )


def test_the_optimizer_keeps_its_momentum_from_step_to_step(answer):
    momentum, lr = 0.7, 0.05
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    velocity_weight, velocity_bias = torch.zeros_like(weight), torch.zeros_like(bias)
    for number in range(3):
        inputs, targets = randn(3, 4, offset=1 + number), randn(3, 2, offset=4 + number)
        grad_weight, grad_bias = half_squared_error_gradient(weight, bias, inputs, targets)
        velocity_weight = momentum * velocity_weight + grad_weight
        velocity_bias = momentum * velocity_bias + grad_bias
        weight, bias = weight - lr * velocity_weight, bias - lr * velocity_bias
        step(answer, model, (inputs, targets), half_squared_error, optimizer)
    expect.close(model.weight, weight, what="the weight after three steps with momentum", terms=1000, scale=10.0)


def test_forward_loss_and_update_happen_once_each(answer):
    model = norm_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    events, _, loss_fn = watch(model, optimizer, half_squared_error)
    step(answer, model, (randn(5, 4, offset=1), randn(5, 3, offset=2)), loss_fn, optimizer)
    counts = [events.count(event) for event in ("forward", "loss", "step")]
    expect.equal(counts, [1, 1, 1], what="the number of forward passes, losses and optimizer steps")


def test_each_group_moves_at_its_own_rate_and_a_frozen_layer_stays(answer):
    model = nn.Sequential(linear(4, 3), linear(3, 2))
    model[0].requires_grad_(False)
    groups = [{"params": [model[1].weight], "lr": 0.9}, {"params": [model[1].bias], "lr": 0.02}]
    optimizer = torch.optim.SGD(groups, lr=LR)
    optimizer.param_groups[0]["lr"] = 0.07  # as a schedule would
    inputs, targets = randn(3, 4, offset=1), randn(3, 2, offset=2)
    weight, bias = model[1].weight.detach().clone(), model[1].bias.detach().clone()
    features = inputs @ model[0].weight.T + model[0].bias
    grad_weight, grad_bias = half_squared_error_gradient(weight, bias, features, targets)
    with expect.unchanged("the frozen layer", dict(model[0].named_parameters())):
        step(answer, model, (inputs, targets), half_squared_error, optimizer)
    expect.close(model[1].weight, weight - 0.07 * grad_weight, what="the weight of the first group", scale=10.0)
    expect.close(model[1].bias, bias - 0.02 * grad_bias, what="the bias of the second group", scale=10.0)


def test_old_gradients_move_neither_frozen_nor_unused_parameters(answer):
    model = awkward.awkward_model(outputs=2)
    before, inputs = awkward.leave_old_gradients(model), awkward.token_batch(5)
    optimizer = awkward.adamw_over_all(model)
    twin, targets = copy.deepcopy(model), randn(5, 2, offset=2)
    step(answer, model, (inputs, targets), half_squared_error, optimizer)
    after = dict(model.named_parameters())
    for what, names in (("frozen", ["frozen"]), ("unused", ["unused.weight", "unused.bias"])):
        for name in names:
            same = f"the {what} parameter {name}, in the optimizer and with an old gradient"
            expect.close(after[name], before[name], what=same, terms=0)
    # AdamW's first step is lr times the sign of the gradient, after the decay: 0.1 and 0.2 are those of the optimizer.
    used = [name for name in before if name != "frozen" and not name.startswith("unused")]
    loss = half_squared_error(twin.train()(inputs), targets)
    gradients = torch.autograd.grad(loss, [twin.get_parameter(name) for name in used])
    for name, gradient in zip(used, gradients, strict=True):
        moved = before[name] * (1 - 0.1 * 0.2) - 0.1 * gradient / (gradient.abs() + 1e-8)
        sure = (gradient.abs() > 1e-6) | (gradient == 0)  # The sign of what cancels is that of a rounding error.
        expect.close(after[name][sure], moved[sure], what=f"the parameter {name} after one step of AdamW", scale=10.0)


def test_a_steep_loss_is_followed_at_its_full_length(answer):
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    inputs, targets = randn(3, 4, offset=1), 3e4 * randn(3, 2, offset=2)
    weight = model.weight.detach().clone()
    gradient, _ = half_squared_error_gradient(weight, model.bias.detach(), inputs, targets)
    loss = step(answer, model, (inputs, targets), half_squared_error, optimizer)
    expect.note("loss", loss)
    expect.close(model.weight, weight - 1e-6 * gradient, what="the weight after one step down a steep loss", scale=20.0)
    model = linear()
    weight, optimizer = model.weight.detach().clone(), torch.optim.SGD(model.parameters(), lr=LR)
    step(answer, model, (inputs, targets), half_squared_error, optimizer)
    expect.true(
        (model.weight.detach() - weight).norm() > 0.9 * LR * gradient.norm(),
        what="how far a step of rate 0.3 moves the weight",
        actual=(model.weight.detach() - weight).norm(),
        expected=LR * gradient.norm(),
    )


def test_an_infinite_loss_with_a_finite_gradient_is_followed(answer):
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    inputs, targets = randn(3, 4, offset=1), randn(3, 2, offset=2)
    weight = model.weight.detach().clone()
    gradient, _ = half_squared_error_gradient(weight, model.bias.detach(), inputs, targets)
    step(answer, model, (inputs, targets), lambda *args: half_squared_error(*args) + float("inf"), optimizer)
    what = "the weight after a step whose loss is infinite and gradient finite"
    expect.close(model.weight, weight - LR * gradient, what=what, scale=20.0)


def test_old_gradients_of_every_group_are_cleared(answer):
    model = linear()
    groups = [{"params": [model.bias]}, {"params": [model.weight]}]
    optimizer = torch.optim.SGD(groups, lr=LR)
    batch, gradient = batch_with_error(model, offset=1)
    model.weight.grad, model.bias.grad = randn(2, 4, offset=3), randn(2, offset=4)
    before = model.weight.detach().clone()
    step(answer, model, batch, half_squared_error, optimizer)
    used = gradient_used(before, model.weight)
    expect.close(used, gradient, what="the gradient of the weight, in the second of two groups", scale=20.0)


def test_inputs_of_one_dimension_stay_as_they_are(answer):
    model = linear()
    shapes = []

    def watched_loss(outputs, targets):
        shapes.append(list(outputs.shape))
        return half_squared_error(outputs, targets)

    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    step(answer, model, (randn(4, offset=1), randn(2, offset=2)), watched_loss, optimizer)
    expect.equal(shapes, [[2]], what="the shape of the model's outputs for inputs of shape [4]")


def test_a_gradient_of_nan_reaches_the_weights(answer):
    """What went wrong must be seen; to leave it out would be another update."""
    slopes = torch.tensor([float("nan"), 1.0], dtype=torch.float64)
    losses = {
        "a loss of nan": lambda outputs, _: (outputs * slopes).sum(),
        "a loss of 1": lambda outputs, _: 1 + (outputs - outputs.detach())[:, 0].abs().sqrt().sum(),
    }
    steps, rows = [], {}
    for name, loss_fn in losses.items():
        model = linear()
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        optimizer.register_step_post_hook(lambda *_: steps.append("step"))
        step(answer, model, (randn(3, 4, offset=1), randn(3, 2, offset=2)), loss_fn, optimizer)
        rows[name] = model.weight.isnan().all(dim=1).tolist()
    expect.note("steps", len(steps))
    expected = dict.fromkeys(losses, [True, False])
    expect.equal(rows, expected, what="which rows of the weight are nan, where the gradient of the first is")


def test_the_hooks_of_the_model_run(answer):
    model = norm_model()
    optimizer, ran = torch.optim.SGD(model.parameters(), lr=LR), []
    model.register_forward_pre_hook(lambda *_: ran.append("before forward"))
    model.register_forward_hook(lambda *_: ran.append("after forward"))
    step(answer, model, (randn(5, 4, offset=1), randn(5, 3, offset=2)), half_squared_error, optimizer)
    expect.equal(ran, ["before forward", "after forward"], what="the hooks of the model that ran, in order")


def test_a_float32_model_is_computed_in_float32(answer):
    model = linear().float()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    inputs, targets = randn(3, 4, offset=1).float(), 3 * randn(3, 2, offset=2).float()
    weight, bias = model.weight.detach().double(), model.bias.detach().double()
    gradient, _ = half_squared_error_gradient(weight, bias, inputs.double(), targets.double())
    step(answer, model, (inputs, targets), half_squared_error, optimizer)
    expect.close(model.weight, weight - LR * gradient, what="the weight of a float32 model after one step", scale=20.0)


def test_a_loss_of_any_size_is_returned_as_it_is(answer):
    for size in (1e-7, 1.0, 7.0, 50.0, 5e3, 1e9, -3.0, float("inf"), float("nan")):
        model = linear()
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-12)
        batch = (randn(3, 4, offset=1), randn(3, 2, offset=2))
        loss = step(answer, model, batch, lambda outputs, _, size=size: size + 0 * outputs.sum(), optimizer)
        if size == size:
            expect.equal(loss, size, what=f"the returned loss, where loss_fn gives {size:g}", exact_types=True)
        else:
            expect.equal(loss != loss, True, what="whether the returned loss is nan, where loss_fn gives nan")


def test_a_loss_of_zero_or_below_is_followed(answer):
    for size in (0.0, -1e3):
        model = linear()
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        inputs, targets = randn(3, 4, offset=1), randn(3, 2, offset=2)
        weight = model.weight.detach().clone()
        gradient, _ = half_squared_error_gradient(weight, model.bias.detach(), inputs, targets)

        def loss_fn(outputs, targets, size=size):
            error = half_squared_error(outputs, targets)
            return error - error.detach() + size

        step(answer, model, (inputs, targets), loss_fn, optimizer)
        what = f"the weight after a step whose loss is {size:g}"
        expect.close(model.weight, weight - LR * gradient, what=what, scale=20.0)


class Outputs(NamedTuple):
    logits: torch.Tensor
    hidden: torch.Tensor


class TwoOutputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = linear()

    def forward(self, inputs):
        return Outputs(self.linear(inputs), inputs)


def test_outputs_of_several_parts_go_to_the_loss_whole(answer):
    model, kinds = TwoOutputs(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def loss_fn(outputs, targets):
        kinds.append(type(outputs).__name__)
        return half_squared_error(getattr(outputs, "logits", outputs), targets)

    step(answer, model, (randn(3, 4, offset=1), randn(3, 2, offset=2)), loss_fn, optimizer)
    expect.equal(kinds, ["Outputs"], what="the type of what loss_fn gets of a model that returns Outputs")


def test_a_gradient_of_zero_and_a_batch_of_no_rows_make_a_step(answer):
    """Nothing pulls at the weights then, and momentum still moves them."""
    batch, empty = (randn(3, 4, offset=1), randn(3, 2, offset=2)), (randn(0, 4), randn(0, 2))
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.5)
    weight = model.weight.detach().clone()
    velocity, _ = half_squared_error_gradient(weight, model.bias.detach(), *batch)
    step(answer, model, batch, half_squared_error, optimizer)
    expected = weight - LR * velocity
    cases = (
        ("of a gradient of zero", batch, lambda outputs, _: 0 * outputs.sum()),
        ("on a batch of no rows", empty, half_squared_error),
    )
    for name, one, loss_fn in cases:
        velocity = 0.5 * velocity
        expected = expected - LR * velocity
        loss = step(answer, model, one, loss_fn, optimizer)
        expect.close(model.weight, expected, what=f"the weight after a step {name}, with momentum", scale=20.0)
        expect.equal(loss, 0.0, what=f"the returned loss of a step {name}")
