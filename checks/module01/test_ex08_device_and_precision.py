"""1.08: one step in mixed precision, watched from inside the model, the loss and the scaler.

All numbers are small multiples of powers of two, which bfloat16 and float16 hold exactly: the low precision
changes no result, so each result can be compared with a closed form in float64.

Long: the model, loss, optimizer and scaler that watch the step from inside take 200 lines.
"""

import contextlib
import statistics
import warnings
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from tunelings import expect
from tunelings.handson.awkward import models
from tunelings.inputs import randint, randn, seed

LR = 0.3
SCALE = 1024.0  # A power of two, as a real scaler's factors are.


class Elsewhere(Tensor):
    """A tensor that claims to lie on another device, until `.to`, `.cpu` or `.cuda` has moved it.

    It computes like any other, so that one which was never moved shows as itself wherever it arrives.
    """

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        device = _device_asked_for(function.__name__, args[1:], kwargs)
        if device is None:
            return super().__torch_function__(function, types, args, kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            dtype = next((one for one in (*args[1:], *kwargs.values()) if isinstance(one, torch.dtype)), args[0].dtype)
            moved = args[0].as_subclass(Tensor).clone().to(dtype)
        moved.moved_to = device
        return moved


def _device_asked_for(name, args, kwargs):
    """The device that a call of `.to`, `.cpu` or `.cuda` names, as text; None for everything else."""
    if name in {"cpu", "cuda"}:
        return name
    if name != "to":
        return None
    asked = kwargs.get("device", kwargs.get("other", args[0] if args else None))
    if isinstance(asked, Tensor):
        asked = asked.device
    if not isinstance(asked, str | torch.device):
        return None
    return torch.device(asked).type if torch.device(asked).type == "cpu" else str(torch.device(asked))


def place(tensor):
    """Where a tensor that arrived was moved to."""
    if isinstance(tensor, Elsewhere):
        return "not moved"
    return getattr(tensor, "moved_to", tensor.device.type)


class Watch(torch.autograd.Function):
    """Changes nothing; writes down whether the backward pass runs under autocast."""

    @staticmethod
    def forward(ctx, outputs, seen):
        ctx.seen = seen
        return outputs.view_as(outputs)

    @staticmethod
    def backward(ctx, gradient):
        ctx.seen["backward under autocast"] = torch.is_autocast_enabled("cpu")
        ctx.seen["slope"] = gradient.detach().double()
        return gradient, None


class Watched(nn.Module):
    """A linear layer from 4 numbers to 2, with weights that are multiples of 1/4; `seen` is what it saw."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)
        with torch.no_grad():
            self.linear.weight.copy_(randint(-2, 3, (2, 4), offset=1) / 4)
            self.linear.bias.copy_(randint(-2, 3, (2,), offset=2) / 4)
        self.seen = {}

    def forward(self, inputs):
        outputs = self.linear(inputs)
        self.seen["inputs"] = place(inputs)
        self.seen["autocast"] = torch.is_autocast_enabled("cpu")
        self.seen["computed in"] = str(outputs.dtype)
        # Not asserted: tells autocast for the wrong device from no autocast, also where there is no GPU.
        self.seen["autocast on cuda"] = str(torch.get_autocast_dtype("cuda"))
        return Watch.apply(outputs, self.seen)


class Setting(NamedTuple):
    """A model with its batch and optimizer, and the closed form of the loss and its gradient, in float64."""

    model: Watched
    batch: tuple[Tensor, Tensor]
    optimizer: torch.optim.Optimizer
    loss: float
    gradients: tuple[Tensor, Tensor]
    norm: float
    factor: float

    def loss_fn(self, outputs, targets):
        """A sum times a power of two: exact here, where a mean over 6 numbers would not be."""
        self.model.seen["targets"] = place(targets)
        self.model.seen["loss from"] = f"{outputs.dtype} {list(outputs.shape)}"
        return self.factor * ((outputs - targets) ** 2 + 2 * outputs).sum()

    def slope(self):
        """The gradient of the loss with respect to the model's outputs, in float64."""
        inputs, targets = (tensor.as_subclass(Tensor).double() for tensor in self.batch)
        outputs = inputs @ self.model.linear.weight.detach().double().T + self.model.linear.bias.detach().double()
        return 2 * self.factor * (outputs - targets + 1)

    def clipped(self, max_norm):
        """The gradients of weight and bias, with their common norm brought down to `max_norm`."""
        return tuple(gradient * min(1.0, max_norm / self.norm) for gradient in self.gradients)

    def after(self, max_norm):
        """The weight and the bias after one step of SGD on the clipped gradients."""
        parameters = (self.model.linear.weight, self.model.linear.bias)
        return tuple(p.detach().double() - LR * g for p, g in zip(parameters, self.clipped(max_norm), strict=True))


def setting(factor=1 / 8):
    model = Watched()
    inputs, targets = randint(-2, 3, (3, 4), offset=3) / 2, randint(-12, 13, (3, 2), offset=4) / 8
    weight, bias = model.linear.weight.detach().double(), model.linear.bias.detach().double()
    outputs = inputs.double() @ weight.T + bias
    loss = factor * float(((outputs - targets) ** 2 + 2 * outputs).sum())
    slope = 2 * factor * (outputs - targets + 1)
    gradients = (slope.T @ inputs.double(), slope.sum(0))
    norm = float(sum((g**2).sum() for g in gradients).sqrt())
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    batch = (inputs.as_subclass(Elsewhere), targets.as_subclass(Elsewhere))
    return Setting(model, batch, optimizer, loss, gradients, norm, factor)


class Scaler:
    """What a GradScaler does, without its check for overflow; `calls` are the methods in order."""

    def __init__(self, factor):
        self.factor = factor
        self.calls = []
        self.unscaled = False

    def scale(self, loss):
        self.calls.append("scale")
        return loss * self.factor

    def unscale_(self, optimizer):
        self.calls.append("unscale_")
        self._unscale(optimizer)

    def step(self, optimizer):
        self.calls.append("step")
        if not self.unscaled:
            self._unscale(optimizer)
        optimizer.step()

    def update(self):
        self.calls.append("update")
        self.unscaled = False

    def _unscale(self, optimizer):
        self.unscaled = True
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            if parameter.grad is not None:
                parameter.grad /= self.factor


def step(answer, s, *, device="cpu", **options):
    """One step of the answer; `seen` and the gradients at `optimizer.step()` are kept for the diagnosis."""
    at_step = []
    s.optimizer.register_step_pre_hook(lambda *_: at_step.append(_gradients_of(s.model)))
    with warnings.catch_warnings():
        # A device that this machine lacks is a warning for autocast; the check says it in its own words.
        warnings.simplefilter("ignore")
        with expect.untouched("the batch", dict(zip(("inputs", "targets"), s.batch, strict=True))):
            loss = answer.autocast_step(s.model, s.batch, s.loss_fn, s.optimizer, device=device, **options)
    expect.note("seen", {name: value for name, value in s.model.seen.items() if name != "slope"})
    expect.note("at_step", at_step)
    if at_step:
        expect.note("saw", float(at_step[0].norm()))
    return loss


def _gradients_of(model):
    """All gradients in one vector, zeros where there is none."""
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad.detach() for p in model.parameters()]
    return torch.cat([gradient.flatten().double() for gradient in gradients])


def compare(s, expected, what):
    """The weight and the bias of the model against those expected."""
    weight, bias = expected
    expect.close(s.model.linear.weight, weight, what=f"the weight after {what}")
    expect.close(s.model.linear.bias, bias, what=f"the bias after {what}")


def test_the_clipped_gradient_moves_the_weights(answer):
    s = setting()
    max_norm = s.norm / 4
    expected = s.after(max_norm)
    expect.note("max_norm", max_norm)
    step(answer, s, max_norm=max_norm)
    compare(s, expected, what="a step with a quarter of the norm allowed")


def test_a_gradient_within_max_norm_is_left_alone(answer):
    s = setting()
    expected = s.after(3 * s.norm)
    step(answer, s, max_norm=3 * s.norm)
    compare(s, expected, what="a step with three times the norm allowed")


def test_a_norm_of_zero_stops_the_weights(answer):
    s = setting()
    expected = s.after(0.0)
    step(answer, s, max_norm=0.0)
    compare(s, expected, what="a step with max_norm=0.0, which must leave it where it is")
    s = setting()
    step(answer, s, dtype=torch.float16, scaler=Scaler(SCALE), max_norm=0.0)
    compare(s, expected, what="a scaled step with max_norm=0.0, which must leave it where it is")


def test_with_a_scaler_the_gradient_is_unscaled_and_then_clipped(answer):
    for share in (0.25, 3.0):
        s = setting()
        expected = s.after(share * s.norm)
        scaler = Scaler(SCALE)
        expect.note("max_norm", share * s.norm)
        expect.note("scale", SCALE)
        step(answer, s, dtype=torch.float16, scaler=scaler, max_norm=share * s.norm)
        expect.note("calls", list(scaler.calls))
        compare(s, expected, what=f"a scaled step with {share} of the norm allowed")


def test_the_scaler_is_called_in_its_order(answer):
    for dtype in (torch.float16, torch.bfloat16):
        s = setting()
        scaler = Scaler(SCALE)
        step(answer, s, dtype=dtype, scaler=scaler)
        what = f"the calls of the scaler, in {dtype}"
        expect.equal(" ".join(scaler.calls), "scale unscale_ step update", what=what)


def test_without_a_scaler_the_loss_is_not_scaled(answer):
    for dtype in (torch.bfloat16, torch.float16):
        s = setting()
        slope = s.slope()
        step(answer, s, dtype=dtype, max_norm=3 * s.norm)
        what = f"the gradient that backward brings to the outputs, in {dtype} and without a scaler"
        expect.close(s.model.seen.get("slope"), slope, what=what)


def test_inputs_and_targets_are_moved_to_the_device(answer):
    for device in ("cpu", torch.device("cpu"), "cpu:0"):
        s = setting()
        step(answer, s, device=device)
        arrived = f"inputs: {s.model.seen.get('inputs')}, targets: {s.model.seen.get('targets')}"
        expect.equal(arrived, "inputs: cpu, targets: cpu", what=f"where the batch was moved for device={device!r}")


def test_the_forward_runs_in_the_asked_precision(answer):
    for dtype in (torch.bfloat16, torch.float16):
        s = setting()
        step(answer, s, dtype=dtype)
        expect.equal(s.model.seen.get("computed in"), str(dtype), what=f"what the model computed in for dtype={dtype}")
        under = f"autocast: {s.model.seen.get('autocast')}, weights: {s.model.linear.weight.dtype}"
        expect.equal(under, "autocast: True, weights: torch.float32", what="the forward and the weights after it")


def test_the_loss_is_computed_from_float32_outputs(answer):
    s = setting()
    step(answer, s)
    expect.equal(s.model.seen.get("loss from"), "torch.float32 [3, 2]", what="the outputs that loss_fn gets")


def test_targets_keep_their_dtype_and_outputs_their_shape(answer):
    model = nn.Linear(4, 1)
    inputs, targets = randint(-2, 3, (3, 4), offset=3) / 2, torch.tensor([[301], [7], [1999]])
    gets = []

    def loss_fn(outputs, given):
        gets.append(f"outputs {list(outputs.shape)}, targets {given.dtype} {list(given.shape)}".replace("torch.", ""))
        expect.close(given, targets, what="the targets that loss_fn gets", terms=0)
        return (outputs - given).abs().sum()

    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    with expect.untouched("the batch", {"inputs": inputs, "targets": targets}):
        answer.autocast_step(model, (inputs, targets), loss_fn, optimizer, device="cpu")
    expect.equal(gets[-1:], ["outputs [3, 1], targets int64 [3, 1]"], what="what loss_fn gets")


def test_a_frozen_parameter_has_no_part_in_the_norm(answer):
    s = setting()
    s.model.linear.bias.requires_grad_(False)
    weight, gradient = s.model.linear.weight.detach().double(), s.gradients[0]
    bias = s.model.linear.bias.detach().clone()
    step(answer, s, max_norm=float(gradient.norm()) / 2)
    expect.close(s.model.linear.bias, bias, what="the frozen bias", terms=0)
    expect.close(s.model.linear.weight, weight - LR * gradient / 2, what="the weight, clipped beside a frozen bias")


def test_backward_runs_outside_of_autocast(answer):
    s = setting()
    step(answer, s)
    seen = f"autocast in backward: {s.model.seen.get('backward under autocast')}"
    expect.equal(seen, "autocast in backward: False", what="the state of autocast during backward")


def test_the_loss_is_returned_unscaled_and_from_before_the_update(answer):
    for scaler in (None, Scaler(SCALE)):
        s = setting()
        loss = step(answer, s, scaler=scaler)
        expect.note("scale", SCALE)
        what = "the returned loss, " + ("without a scaler" if scaler is None else f"with a scale of {SCALE:g}")
        expect.close(loss, s.loss, what=what, dtype=torch.float32)
        expect.kind(loss, float, what=what)


def test_old_gradients_do_not_leak_into_the_step(answer):
    s = setting()
    expected = s.after(3 * s.norm)
    s.model.linear.weight.grad = randn(2, 4, offset=5, dtype=torch.float32)
    step(answer, s, max_norm=3 * s.norm)
    compare(s, expected, what="a step with old gradients in .grad")


def test_an_overflow_skips_the_update_and_halves_the_scale(answer):
    s = setting()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**30)  # Beyond float16, which ends at 65504.
    before = s.model.linear.weight.detach().clone()
    step(answer, s, dtype=torch.float16, scaler=scaler)
    expect.close(s.model.linear.weight, before, what="the weight after a step that overflowed")
    expect.close(scaler.get_scale(), 2.0**29, what="the scale after a step that overflowed")


def test_by_default_it_is_bfloat16_and_a_norm_of_one(answer):
    s = setting(factor=64.0)  # Steep, so that the norm is well above 1.
    expected = s.after(1.0)
    step(answer, s)
    compare(s, expected, what="a step with the default max_norm")
    expect.equal(s.model.seen.get("computed in"), "torch.bfloat16", what="what the model computed in by default")


def test_an_old_gradient_does_not_move_a_frozen_parameter(answer):
    s = setting()
    s.model.linear.bias.requires_grad_(False)
    s = s._replace(optimizer=torch.optim.SGD(s.model.parameters(), lr=LR, weight_decay=0.2))
    gradient = s.gradients[0]
    before = models.leave_old_gradients(s.model)
    step(answer, s, max_norm=float(gradient.norm()) / 2)
    expect.close(s.model.linear.bias, before["linear.bias"], what="the frozen bias with an old gradient", terms=0)
    weight = before["linear.weight"].double()
    moved = weight - LR * (gradient / 2 + 0.2 * weight)
    expect.close(s.model.linear.weight, moved, what="the weight, clipped beside an old gradient")


@pytest.mark.gpu
@pytest.mark.timeout(300)
def test_float16_is_faster_and_smaller_than_float32_on_a_gpu(answer):
    """4 layers of 4096 and a batch of 16384: large enough that arithmetic and activations decide.

    On a small model float16 is slower (casts cost more than they save), and autocast's copies of the weights
    can make it larger.
    """
    plain = full_run(float32_step, width=4096, rows=16384, device="cuda")
    scaler = torch.amp.GradScaler("cuda")
    mixed = full_run(answer.autocast_step, width=4096, rows=16384, device="cuda", dtype=torch.float16, scaler=scaler)
    times, sizes = [mixed.seconds, plain.seconds], [mixed.gib, plain.gib]
    expect.true(times[0] < times[1], what="seconds a step in float16 and float32", actual=times, expected="less")
    expect.true(sizes[0] < sizes[1], what="GiB at the peak in float16 and float32", actual=sizes, expected="less")
    expect.close(mixed.loss, plain.loss, what="the loss of the first step", terms=20, dtype=torch.float16)


class FullRun(NamedTuple):
    seconds: float
    gib: float
    loss: float


def full_run(one_step, *, width, rows, device, steps=10, **options):
    """Train four wide layers: the median time of a step, the peak of allocated memory and the first loss."""
    torch.manual_seed(seed())
    layers = [nn.Linear(64, width), nn.GELU()]
    for _ in range(3):
        layers += [nn.Linear(width, width), nn.GELU()]
    model = nn.Sequential(*layers, nn.Linear(width, 16)).to(device)
    batch = (randn(rows, 64, offset=6, dtype=torch.float32), randn(rows, 16, offset=7, dtype=torch.float32))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    torch.cuda.reset_peak_memory_stats()
    losses, seconds = [], []
    for _ in range(steps):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        losses.append(one_step(model, batch, nn.functional.mse_loss, optimizer, device=device, **options))
        end.record()
        torch.cuda.synchronize()
        seconds.append(start.elapsed_time(end) / 1000)
    # The first steps also choose kernels and grow the allocator.
    return FullRun(statistics.median(seconds[3:]), torch.cuda.max_memory_allocated() / 2**30, losses[0])


def float32_step(model, batch, loss_fn, optimizer, *, device):
    """The step that mixed precision is compared with."""
    inputs, targets = (tensor.to(device) for tensor in batch)
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def test_the_norm_is_that_of_all_groups_together(answer):
    for scaler in (None, Scaler(SCALE)):
        s = setting()
        groups = [{"params": [s.model.linear.bias]}, {"params": [s.model.linear.weight]}]
        s = s._replace(optimizer=torch.optim.SGD(groups, lr=LR))
        expected = s.after(s.norm / 4)
        step(answer, s, scaler=scaler, max_norm=s.norm / 4)
        compare(s, expected, what="a step with a quarter of the norm allowed and two groups in the optimizer")


class InFloat32(nn.Module):
    """Under autocast too, its outputs are float32 and need more digits than the low precision has."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([1 / 3, 2 / 7]))
        self.seen = {}

    def forward(self, inputs):
        outputs = inputs + self.shift
        self.seen["inputs"], self.seen["outputs"] = str(inputs.dtype), outputs.detach().clone()
        return outputs


def test_inputs_and_float32_outputs_keep_all_their_digits(answer):
    model, gets = InFloat32(), []

    def loss_fn(outputs, targets):
        gets.append(outputs.detach().clone())
        return (outputs - targets).abs().sum()

    batch = randn(3, 2, offset=6, dtype=torch.float32), randn(3, 2, offset=7, dtype=torch.float32)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    with expect.untouched("the batch", dict(zip(("inputs", "targets"), batch, strict=True))):
        answer.autocast_step(model, batch, loss_fn, optimizer, device="cpu")
    expect.equal(model.seen.get("inputs"), "torch.float32", what="the dtype of float32 inputs, as the model gets them")
    expect.close(gets[-1], model.seen["outputs"], what="what loss_fn gets from a model whose outputs are float32")


def test_inputs_may_be_token_ids(answer):
    model, ids = nn.Embedding(7, 2), torch.tensor([3, 0, 6])
    with torch.no_grad():
        model.weight.copy_(randint(-2, 3, (7, 2), offset=8) / 4)
    expected = model.weight.detach().clone()
    expected[ids] -= LR * 0.5  # The gradient of half the sum, within the norm that is allowed.
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    batch = (ids, torch.zeros(3, 2))
    with expect.untouched("the batch", dict(zip(("inputs", "targets"), batch, strict=True))):
        answer.autocast_step(model, batch, lambda o, t: 0.5 * (o - t).sum(), optimizer, device="cpu", max_norm=9.0)
    expect.close(model.weight, expected, what="the table of an embedding after a step on int64 ids")


class Stopped(Exception):
    """Ends a step at its loss; all that was asked for has been seen."""


class OnTheSecondGPU(nn.Parameter):
    """Says that it lies there, whatever this machine has."""

    device = torch.device("cuda", 1)


def test_the_number_of_the_device_counts_too(answer):
    """No such GPU has to be there: the batch only writes down where it is moved."""
    for device in ("cuda:1", torch.device("cuda", 1)):
        model, arrived = nn.PReLU(), []
        model.weight = OnTheSecondGPU(torch.zeros(1))
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        batch = [randn(3, 2, offset=offset, dtype=torch.float32).as_subclass(Elsewhere) for offset in (9, 10)]
        # Autocast sets this dtype for the type "cuda" on every machine; without it, it is float16.
        set_to = []
        model.register_forward_pre_hook(lambda *_, seen=set_to: seen.append(str(torch.get_autocast_dtype("cuda"))))
        model.register_forward_pre_hook(lambda _, args, seen=arrived: seen.append(place(args[0])))

        def loss_fn(outputs, targets, seen=arrived):
            seen.append(place(targets))
            raise Stopped

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Where autocast finds no GPU.
            with contextlib.suppress(Stopped):
                answer.autocast_step(model, tuple(batch), loss_fn, optimizer, device=device)
        expect.equal(arrived, ["cuda:1", "cuda:1"], what=f"where inputs and targets were moved for {device!r}")
        expect.equal(set_to, ["torch.bfloat16"], what=f"the dtype of autocast for the type cuda, for {device!r}")


def test_the_scaler_sees_a_loss_that_is_not_finite(answer):
    """Its update() is what makes the scale smaller."""
    for factor in (float("inf"), float("nan")):
        s = setting()._replace(factor=factor)
        scaler = Scaler(SCALE)
        step(answer, s, dtype=torch.float16, scaler=scaler)
        what = "the calls of the scaler where the loss is inf or nan"
        expect.equal(" ".join(scaler.calls), "scale unscale_ step update", what=what)
