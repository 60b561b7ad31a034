"""1.04: SGD with momentum and AdamW, compared with closed forms and torch.optim in float64.

Long: two optimizers, 24 checks, and each step is computed again in closed form or by torch.optim.
"""

import math
import sys

import torch

from tunelings import expect
from tunelings.inputs import randn

SHAPES = [(3, 5), (7,), ()]
# Large and odd, so that each of them shows in the numbers wherever it stands.
ADAMW = {"betas": (0.7, 0.95), "eps": 0.03, "weight_decay": 0.4}
LR, MOMENTUM = 0.15, 0.8


def drawn(shape, offset, dtype):
    return randn(math.prod(shape), offset=offset, dtype=dtype).reshape(shape).clone()


def parameters(dtype=torch.float64):
    """A matrix, a vector and a scalar, as leaves that require grad."""
    return [drawn(shape, i, dtype).requires_grad_() for i, shape in enumerate(SHAPES)]


def gradients(step, dtype=torch.float64):
    """Gradients of unlike sizes, other ones at each step."""
    return [(0.5 + i) * drawn(shape, 100 + 10 * step + i, dtype) for i, shape in enumerate(SHAPES)]


def zeros_like(params):
    return [torch.zeros_like(p, requires_grad=False) for p in params]


def adamw_state(answer, params):
    return answer.AdamWState(step=[0] * len(params), m=zeros_like(params), v=zeros_like(params))


def sgd(answer, params, grads, velocities, lr, *momentum, **options):
    """What one step of the answer returns; the gradients must be as they were."""
    with expect.untouched("what was given", {"grads": grads}):
        return answer.sgd_step(params[:], grads, velocities, lr, *momentum, **options)


def adamw(answer, params, grads, state, lr, **options):
    """What one step of the answer returns; the gradients must be as they were."""
    with expect.untouched("what was given", {"grads": grads}):
        return answer.adamw_step(params[:], grads, state, lr, **options)


def rates(steps):
    """A learning rate for each step; no two neighbors are equal."""
    return [LR / (1 + step % 3) for step in range(steps)]


def by_torch(kind, params, grads_of_steps, lrs, **options):
    """The parameters after torch's own optimizer, and that optimizer."""
    params = [p.detach().clone().requires_grad_() for p in params]
    optimizer = kind(params, lr=lrs[0], **options)
    for grads, lr in zip(grads_of_steps, lrs, strict=True):
        optimizer.param_groups[0]["lr"] = lr
        for p, g in zip(params, grads, strict=True):
            p.grad = None if g is None else g.clone()
        optimizer.step()
    return [p.detach() for p in params], optimizer


def close_to_each(actual, expected, what, **options):
    expect.equal(len(actual), len(expected), what=f"the number of tensors {what}")
    for name, a, e in zip(["the matrix", "the vector", "the scalar"], actual, expected, strict=True):
        expect.close(a, e, what=f"{name} {what}", **options)


def test_sgd_without_momentum_moves_against_the_gradient(answer):
    params, grads = parameters(), gradients(0)
    expected = [p.detach() - LR * g for p, g in zip(params, grads, strict=True)]
    expect.note("before", params[0])
    sgd(answer, params, grads, zeros_like(params), LR)
    others, velocities = parameters(), zeros_like(parameters())
    for step in (1, 2):
        sgd(answer, others, gradients(step), velocities, LR, MOMENTUM)
    expect.note("with_momentum", others[0])  # Tells apart what looks the same after one step.
    close_to_each(params, expected, "after one step of SGD", scale=10.0)


def test_momentum_carries_past_gradients_into_the_step(answer):
    """Three steps written out; the learning rate changes on the way."""
    params, velocities = parameters(), zeros_like(parameters())
    one, two, three = gradients(1), gradients(2), gradients(3)
    two[0] = two[0].T.contiguous().T  # The same numbers, column by column in memory.
    expected = []
    for p, g1, g2, g3 in zip(params, one, two, three, strict=True):
        moved = 0.2 * g1 + 0.1 * (MOMENTUM * g1 + g2) + 0.3 * (MOMENTUM**2 * g1 + MOMENTUM * g2 + g3)
        expected.append(p.detach() - moved)
    for grads, lr in ((one, 0.2), (two, 0.1), (three, 0.3)):
        sgd(answer, params, grads, velocities, lr, MOMENTUM)
    expect.note("velocity", velocities[0])
    close_to_each(params, expected, "after three steps with momentum", scale=10.0)


def test_sgd_equals_torch_over_20_steps(answer):
    params, velocities = parameters(), zeros_like(parameters())
    steps, lrs = [gradients(step) for step in range(20)], rates(20)
    expected, optimizer = by_torch(torch.optim.SGD, params, steps, lrs, momentum=MOMENTUM)
    buffers = [optimizer.state[p]["momentum_buffer"] for p in optimizer.param_groups[0]["params"]]
    for grads, lr in zip(steps, lrs, strict=True):
        sgd(answer, params, grads, velocities, lr=lr, momentum=MOMENTUM)
    close_to_each(velocities, buffers, "in velocities after 20 steps", scale=100.0)
    close_to_each(params, expected, "after 20 steps of SGD", scale=100.0)


def test_at_the_first_adamw_step_the_corrections_leave_the_gradient_itself(answer):
    """With both corrections m_hat is g and v_hat is g² at the first step, whatever the betas."""
    params, grads = parameters(), gradients(0)
    grads[1].mul_(1e-7)  # Near the default eps, so that eps and its absence show.
    grads[2].zero_()  # As for an input that has never been active.
    state = adamw_state(answer, params)
    expected = [p.detach() * (1 - LR * 0.4) - LR * g / (g.abs() + 0.03) for p, g in zip(params, grads, strict=True)]
    adamw(answer, params, grads, state, LR, **ADAMW)
    expect.note("m", state.m[0])
    expect.note("dtype_of_m", str(getattr(state.m[0], "dtype", None)))
    expect.note("v", state.v[0])
    expect.note("where_the_gradient_is_tiny", params[1])
    expect.note("where_the_gradient_is_zero", params[2])
    close_to_each(params, expected, "after the first step of AdamW", scale=10.0)


def test_both_moments_and_the_step_count_are_kept_in_the_state(answer):
    params, g1, g2 = parameters(), gradients(1), gradients(2)
    state = adamw_state(answer, params)
    adamw(answer, params, g1, state, LR, **ADAMW)
    adamw(answer, params, g2, state, LR, **ADAMW)
    expect.note("m", state.m[0])
    expect.equal(list(state.step), [2, 2, 2], what="state.step after two steps", exact_types=True)
    m = [0.3 * (0.7 * a + b) for a, b in zip(g1, g2, strict=True)]
    v = [0.05 * (0.95 * a**2 + b**2) for a, b in zip(g1, g2, strict=True)]
    close_to_each(state.m, m, "in state.m after two steps", scale=10.0)
    close_to_each(state.v, v, "in state.v after two steps", scale=100.0)


def test_adamw_equals_torch_over_20_steps(answer):
    params = parameters()
    state = adamw_state(answer, params)
    steps, lrs = [gradients(step) for step in range(20)], rates(20)
    expected, _ = by_torch(torch.optim.AdamW, params, steps, lrs, **ADAMW)
    for grads, lr in zip(steps, lrs, strict=True):
        adamw(answer, params, grads, state, lr=lr, **ADAMW)
    close_to_each(params, expected, "after 20 steps of AdamW", terms=1000, scale=10.0)


def test_the_defaults_are_those_of_torch(answer):
    params = parameters()
    state = adamw_state(answer, params)
    # Tiny gradients, for which eps = 1e-8 shows beside their size.
    steps = [[1e-7 * g for g in gradients(step)] for step in range(5)]
    expected, _ = by_torch(torch.optim.AdamW, params, steps, rates(5))
    for grads, lr in zip(steps, rates(5), strict=True):
        adamw(answer, params, grads, state, lr)
    close_to_each(params, expected, "after 5 steps of AdamW with its defaults", terms=1000, scale=10.0)
    params, velocities, grads = parameters(), zeros_like(parameters()), [gradients(step) for step in range(3)]
    expected, _ = by_torch(torch.optim.SGD, params, grads, rates(3))
    for one, lr in zip(grads, rates(3), strict=True):
        sgd(answer, params, one, velocities, lr)
    close_to_each(params, expected, "after 3 steps of SGD with its default", scale=10.0)


def test_where_the_gradient_is_zero_only_the_decay_acts(answer):
    """The decay shrinks a parameter by lr * weight_decay of itself and leaves no trace in the moments."""
    params = parameters()
    state = adamw_state(answer, params)
    expected = [p.detach() * (1 - LR * 0.4) for p in params]
    adamw(answer, params, zeros_like(params), state, LR, **ADAMW)
    close_to_each(params, expected, "after a step with zero gradient", scale=10.0)
    close_to_each(state.m, zeros_like(params), "in state.m after a step with zero gradient", scale=1.0)


def test_a_parameter_without_gradient_is_skipped_whole(answer):
    """The vector has no gradient in the first two of four steps, so its own count lags behind."""
    params = parameters()
    state = adamw_state(answer, params)
    steps = [gradients(step) for step in range(4)]
    steps[0][1] = steps[1][1] = None
    vector = params[1].detach().clone()
    expected, _ = by_torch(torch.optim.AdamW, params, steps, [LR] * 4, **ADAMW)
    for step, grads in enumerate(steps):
        adamw(answer, params, grads, state, LR, **ADAMW)
        if step == 1:
            expect.note("count", list(state.step))
            expect.close(params[1], vector, what="the vector after two steps with None as its gradient")
            expect.equal(list(state.step), [2, 0, 2], what="state.step while one gradient is None")
    close_to_each(params, expected, "after four steps, two without its gradient", terms=1000, scale=10.0)


def both(answer, dtype=torch.float64):
    """Two steps of SGD and two of AdamW: by name, the parameters, the gradients and what is remembered."""
    params, velocities = parameters(dtype), zeros_like(parameters(dtype))
    grads = gradients(1, dtype)
    for _ in range(2):
        sgd(answer, params, grads, velocities, LR, MOMENTUM)
    yield "sgd_step", params, grads, [expect.tensor(v, what="a velocity") for v in velocities]
    params, grads = parameters(dtype), gradients(1, dtype)
    state = adamw_state(answer, params)
    for _ in range(2):
        adamw(answer, params, grads, state, LR, **ADAMW)
    yield "adamw_step", params, grads, [expect.tensor(t, what="a moment") for t in (*state.m, *state.v)]


def test_no_autograd_history_is_recorded(answer):
    for name, params, _, remembered in both(answer):
        leaves = sum(p.requires_grad and p.is_leaf for p in params)
        expect.equal(leaves, 3, what=f"parameters that are still trainable leaves after {name}")
        tracked = sum(t.requires_grad for t in remembered)
        expect.equal(tracked, 0, what=f"remembered tensors that require grad after {name}")


def test_torch_optim_is_not_called(answer):
    called = set()

    def profile(frame, event, _):
        module = frame.f_globals.get("__name__") or ""
        if event == "call" and module.startswith("torch.optim"):
            called.add(f"{module}.{frame.f_code.co_name}")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        for _ in both(answer):
            pass
    finally:
        sys.setprofile(before)
    expect.equal(sorted(called)[:1], [], what="the calls into torch.optim")


def test_an_update_goes_on_from_whatever_the_state_holds(answer):
    """As after a resume: counts of 3 and 8, and moments that are not zeros."""
    params = parameters()[:2]
    p, g = [x.detach().clone() for x in params], gradients(3)[:2]
    g[0] = g[0].T.contiguous().T  # The same numbers, column by column in memory.
    m, v = gradients(4)[:2], [x**2 for x in gradients(5)[:2]]
    state = answer.AdamWState(step=[3, 8], m=[x.clone() for x in m], v=[x.clone() for x in v])
    adamw(answer, params, g, state, LR, **ADAMW)
    expected = []
    for i, count in enumerate((4, 9)):
        m_hat = (0.7 * m[i] + 0.3 * g[i]) / (1 - 0.7**count)
        v_hat = (0.95 * v[i] + 0.05 * g[i] ** 2) / (1 - 0.95**count)
        expected.append(p[i] * (1 - LR * 0.4) - LR * m_hat / (v_hat.sqrt() + 0.03))
    expect.equal(list(state.step), [4, 9], what="state.step after one step from counts of 3 and 8", exact_types=True)
    for name, actual, right in zip(("matrix", "vector"), params, expected, strict=True):
        expect.close(actual, right, what=f"the {name} after one step from counts of 3 and 8", terms=1000, scale=10.0)


def test_half_precision_is_kept(answer):
    for name, params, _, remembered in both(answer, torch.bfloat16):
        for tensor in (*params, *remembered):
            expect.equal(str(tensor.dtype), "torch.bfloat16", what=f"the dtype after {name} with bfloat16 parameters")


def test_float32_is_kept(answer):
    options = {"sgd_step": (torch.optim.SGD, {"momentum": MOMENTUM}), "adamw_step": (torch.optim.AdamW, ADAMW)}
    for name, params, grads, remembered in both(answer, torch.float32):
        for tensor in (*params, *remembered):
            expect.equal(str(tensor.dtype), "torch.float32", what=f"the dtype after {name}")
        start, wide = [p.double() for p in parameters(torch.float32)], [g.double() for g in grads]
        kind, hyper = options[name]
        expected, _ = by_torch(kind, start, [wide, wide], [LR, LR], **hyper)
        close_to_each(params, expected, f"in float32 after two steps of {name}", terms=20, scale=10.0)


def test_nothing_is_returned(answer):
    params = parameters()
    returned = sgd(answer, params, gradients(1), zeros_like(params), LR, MOMENTUM)
    expect.equal(returned, None, what="what sgd_step returns")
    returned = adamw(answer, params, gradients(1), adamw_state(answer, params), LR)
    expect.equal(returned, None, what="what adamw_step returns")


def test_zeros_among_the_settings_are_zeros(answer):
    """A warm-up begins with a learning rate of 0: nothing moves, but the gradient is still remembered."""
    lrs, grads = [0.0, LR, LR], [gradients(step) for step in range(3)]
    for options in ({}, {"weight_decay": 0.0}, {"betas": (0.0, 0.0)}):
        hyper = {**ADAMW, **options}
        params = parameters()
        state = adamw_state(answer, params)
        expected, _ = by_torch(torch.optim.AdamW, params, grads, lrs, **hyper)
        for one, lr in zip(grads, lrs, strict=True):
            adamw(answer, params, one, state, lr, **hyper)
        given = ", ".join(f"{name} = {value}" for name, value in options.items())
        what = f"after AdamW at the rates {lrs}" + (f", {given}" if given else "")
        close_to_each(params, expected, what, terms=1000, scale=10.0)
    params, velocities = parameters(), zeros_like(parameters())
    expected, _ = by_torch(torch.optim.SGD, params, grads, lrs, momentum=MOMENTUM)
    for one, lr in zip(grads, lrs, strict=True):
        sgd(answer, params, one, velocities, lr, MOMENTUM)
    close_to_each(params, expected, f"after SGD at the rates {lrs}", scale=100.0)


def test_a_tiny_eps_is_followed(answer):
    grads = [1e-9 * g for g in gradients(1)]
    for eps in (1e-12, 0.0):
        params = parameters()
        state, hyper = adamw_state(answer, params), {"eps": eps, "weight_decay": 0.0}
        expected = [p.detach() - LR * g / (g.abs() + eps) for p, g in zip(params, grads, strict=True)]
        adamw(answer, params, grads, state, LR, **hyper)
        close_to_each(params, expected, f"after the first step with eps = {eps}", terms=1000, scale=10.0)


def test_what_stands_in_grad_has_no_part_in_the_step(answer):
    for name in ("sgd_step", "adamw_step"):
        params, grads = parameters(), gradients(1)
        for p in params:
            p.grad = torch.full_like(p, 3.0)
        kind, hyper = (torch.optim.SGD, {}) if name == "sgd_step" else (torch.optim.AdamW, ADAMW)
        expected, _ = by_torch(kind, params, [grads], [LR], **hyper)
        if name == "sgd_step":
            sgd(answer, params, grads, zeros_like(params), LR)
        else:
            adamw(answer, params, grads, adamw_state(answer, params), LR, **hyper)
        close_to_each(params, expected, f"after {name} with other numbers in .grad", terms=1000, scale=10.0)


def test_a_zero_gradient_leaves_the_momentum_to_act(answer):
    params, velocities = parameters(), [v.clone() for v in gradients(6)]
    expected = [p.detach() - LR * MOMENTUM * v for p, v in zip(params, velocities, strict=True)]
    carried = [MOMENTUM * v for v in velocities]
    sgd(answer, params, zeros_like(params), velocities, LR, MOMENTUM)
    close_to_each(velocities, carried, "in velocities after a step with zero gradient", scale=10.0)
    close_to_each(params, expected, "after a step of SGD with zero gradient", scale=10.0)


def test_the_corrections_go_on_after_thousands_of_steps(answer):
    params, grads = parameters()[:1], gradients(7)[:1]
    p, g = params[0].detach().clone(), grads[0]
    m, v = 0.1 * g, 0.2 * g**2
    state = answer.AdamWState(step=[2499], m=[m.clone()], v=[v.clone()])
    adamw(answer, params, grads, state, LR, weight_decay=0.0)
    m_hat, v_hat = 0.9 * m + 0.1 * g, (0.999 * v + 0.001 * g**2) / (1 - 0.999**2500)  # 0.9^2500 is 0 here.
    expected = p - LR * m_hat / (v_hat.sqrt() + 1e-8)
    expect.close(params[0], expected, what="the matrix after step 2500 of AdamW", terms=1000, scale=10.0)


def test_a_step_without_any_gradient_changes_nothing(answer):
    params, grads = parameters(), gradients(8)
    state = adamw_state(answer, params)
    adamw(answer, params, grads, state, LR, **ADAMW)
    before, m, v = ([t.detach().clone() for t in tensors] for tensors in (params, state.m, state.v))
    adamw(answer, params, [None] * 3, state, LR, **ADAMW)
    expect.equal(
        list(state.step), [1, 1, 1], what="state.step after a step with gradients, then one where all are None"
    )
    for name, now, then in (
        ("of the parameters", params, before),
        ("in state.m", state.m, m),
        ("in state.v", state.v, v),
    ):
        close_to_each(now, then, f"{name} after a step without any gradient", terms=0)


def test_the_first_gradient_may_be_none(answer):
    params, steps = parameters(), [[None, *gradients(step)[1:]] for step in range(2)]
    state = adamw_state(answer, params)
    expected, _ = by_torch(torch.optim.AdamW, params, steps, [LR] * 2, **ADAMW)
    for grads in steps:
        adamw(answer, params, grads, state, LR, **ADAMW)
    expect.equal(list(state.step), [0, 2, 2], what="state.step after two steps without the first gradient")
    close_to_each(params, expected, "after two steps without the first gradient", terms=1000, scale=10.0)


def test_large_gradients_are_used_at_their_full_length(answer):
    params, velocities, grads = parameters(), zeros_like(parameters()), [1e5 * g for g in gradients(9)]
    expected = [p.detach() - LR * g for p, g in zip(params, grads, strict=True)]
    sgd(answer, params, grads, velocities, LR, MOMENTUM)
    close_to_each(params, expected, "after a step of SGD with gradients of 100,000", scale=1e6)
    params = parameters()
    state = adamw_state(answer, params)
    adamw(answer, params, grads, state, LR, **ADAMW)
    close_to_each(state.m, [0.3 * g for g in grads], "in state.m after gradients of 100,000", scale=1e6)
    close_to_each(state.v, [0.05 * g**2 for g in grads], "in state.v after gradients of 100,000", scale=1e12)


def test_an_infinite_gradient_is_not_left_out(answer):
    params, velocities, grads = parameters(), zeros_like(parameters()), gradients(10)
    grads[1][2] = torch.inf
    expected = [p.detach() - LR * g for p, g in zip(params, grads, strict=True)]
    sgd(answer, params, grads, velocities, LR)
    close_to_each(params, expected, "after a step of SGD with one gradient of inf", scale=10.0)
    params = parameters()
    state = adamw_state(answer, params)
    adamw(answer, params, grads, state, LR, **ADAMW)
    close_to_each(state.m, [0.3 * g for g in grads], "in state.m after one gradient of inf", scale=10.0)
