"""1.05: one batch, one update; judged by the weights, not by the loss alone."""

import torch
from torch import nn

from tunelings import expect
from tunelings.inputs import randn, seed

LR = 0.1


def linear_regression():
    """A float64 linear model, one batch (3 rows, 4 features) and plain SGD."""
    torch.manual_seed(seed())
    model = nn.Linear(4, 2, dtype=torch.float64)
    batch = (randn(3, 4, offset=1), randn(3, 2, offset=2))
    return model, batch, torch.optim.SGD(model.parameters(), lr=LR)


def mse(outputs, targets):
    return ((outputs - targets) ** 2).mean()


def mse_gradient(weight, bias, batch):
    """The gradient of `mse` for a linear model, in closed form."""
    inputs, targets = batch
    error = 2 * (inputs @ weight.T + bias - targets) / targets.numel()
    return error.T @ inputs, error.sum(0)


def by_hand(model, batch, steps=1):
    """Weight and bias after `steps` steps of plain SGD, without autograd."""
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    for _ in range(steps):
        grad_weight, grad_bias = mse_gradient(weight, bias, batch)
        weight, bias = weight - LR * grad_weight, bias - LR * grad_bias
    return weight, bias


def test_one_step_moves_the_weights_against_the_gradient(answer):
    model, batch, optimizer = linear_regression()
    weight, _ = by_hand(model, batch)
    expect.note("gradient", mse_gradient(model.weight.detach(), model.bias.detach(), batch)[0])
    answer.training_step(model, batch, mse, optimizer)
    expect.close(model.weight, weight, what="the weight after one step")


def test_old_gradients_do_not_leak_into_the_step(answer):
    model, batch, optimizer = linear_regression()
    weight, _ = by_hand(model, batch, steps=2)
    answer.training_step(model, batch, mse, optimizer)
    answer.training_step(model, batch, mse, optimizer)
    expect.close(model.weight, weight, what="the weight after two steps")


def test_the_loss_is_that_before_the_update(answer):
    model, batch, optimizer = linear_regression()
    before = mse(model(batch[0]), batch[1]).item()
    loss = answer.training_step(model, batch, mse, optimizer)
    expect.close(expect.number(loss, what="the returned loss"), before, what="the returned loss")
