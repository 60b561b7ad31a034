"""The group runs inside optimizer.step(closure), in a helper; foreach division; counts known from a first look."""

import itertools

import torch


def _chunks(loader, size):
    iterator = iter(loader)
    for first in iterator:
        yield [first, *itertools.islice(iterator, size - 1)]


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps={accumulation_steps}")
    losses = []
    for chunk in _chunks(loader, accumulation_steps):
        model.zero_grad()
        total = torch.zeros((), dtype=torch.float64)
        count = 0
        for x, y in chunk:
            part, n = loss_fn(model(x), y)
            part.backward()
            total += part.detach().double()
            count += n
        if count == 0:
            continue

        def closure(total=total, count=count):
            grads = [p.grad for p in model.parameters() if p.grad is not None]
            torch._foreach_div_(grads, count)
            return total / count

        loss = closure()
        optimizer.step(lambda loss=loss: loss)
        losses.append(float(loss))
    return losses
