"""3.11: the definitions by Python's math, on numbers made so that each mistake gives another one."""

import math

import torch

from tunelings import expect
from tunelings.inputs import randint, randn

NAMES = ("policy_chosen", "policy_rejected", "ref_chosen", "ref_rejected")


def log_probabilities(size, offset, dtype=torch.float64):
    """Four times `size` sums of log-probabilities: -40 give or take 4, the policy 3 away from the reference."""
    reference = [-40 + 4 * randn(size, offset=offset + i) for i in range(2)]
    policy = [ref + 3 * randn(size, offset=offset + 2 + i) for i, ref in enumerate(reference)]
    return [values.to(dtype) for values in (*policy, *reference)]


def minus_log_sigmoid(margin):
    """In Python floats, and without a large number in exp."""
    return math.log1p(math.exp(-margin)) if margin > 0 else math.log1p(math.exp(margin)) - margin


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def margins(four, beta):
    columns = zip(*(values.tolist() for values in four), strict=True)
    return [beta * ((pc - rc) - (pr - rr)) for pc, pr, rc, rr in columns]


def rewards(policy, reference, beta):
    return [beta * (p - r) for p, r in zip(policy.tolist(), reference.tolist(), strict=True)]


def mean_loss(four, beta):
    losses = [minus_log_sigmoid(margin) for margin in margins(four, beta)]
    return sum(losses) / len(losses)


def dpo_of(answer, four, **options):
    """What dpo_loss returns; the four must be afterwards what they were before."""
    with expect.untouched("what dpo_loss was given", dict(zip(NAMES, four, strict=True))):
        return answer.dpo_loss(*four, **options)


def logprobs_of(answer, logits, labels):
    """What sequence_logprobs returns; logits and labels must be afterwards what they were before."""
    with expect.untouched("what sequence_logprobs was given", {"logits": logits, "labels": labels}):
        return answer.sequence_logprobs(logits, labels)


def part(result, name):
    """A field of the result, None where it is missing."""
    return getattr(result, name, None)


def note_rewards(result):
    """The rewards tell apart what the loss alone does not, such as the two ways to exchange its inputs."""
    for name in ("chosen_reward", "rejected_reward"):
        expect.note(name, part(result, name))


def gradients(loss, leaves):
    """Of a loss that must be attached; None where nothing arrives."""
    held = expect.tensor(loss, what="the loss", shape=()).requires_grad
    expect.true(held, what="the loss, which must be attached to the graph", actual=loss, expected="a loss with a graph")
    return torch.autograd.grad(loss, leaves, allow_unused=True)


def test_the_loss_of_a_pair_is_minus_log_sigmoid_of_the_reward_difference(answer):
    four = log_probabilities(1, offset=1)
    margin = margins(four, 0.3)[0]
    result = dpo_of(answer, four, beta=0.3)
    note_rewards(result)
    expect.note("margin", margin)
    expect.close(part(result, "loss"), minus_log_sigmoid(margin), what="the loss of one pair, beta 0.3", scale=40)


def test_the_rewards_are_beta_times_policy_minus_reference(answer):
    policy_chosen, policy_rejected, ref_chosen, ref_rejected = four = log_probabilities(5, offset=11)
    result = dpo_of(answer, four, beta=0.7)
    chosen, rejected = rewards(policy_chosen, ref_chosen, 0.7), rewards(policy_rejected, ref_rejected, 0.7)
    expect.note("chosen_log_ratio", policy_chosen - ref_chosen)
    expect.close(part(result, "chosen_reward"), chosen, what="the chosen rewards of 5 pairs, beta 0.7", scale=40)
    expect.close(part(result, "rejected_reward"), rejected, what="the rejected rewards of 5 pairs, beta 0.7", scale=40)


def test_the_loss_of_a_batch_is_the_mean_over_its_pairs(answer):
    four = log_probabilities(7, offset=21)
    result = dpo_of(answer, four, beta=0.45)
    expect.note("pairs", 7)
    expect.close(part(result, "loss"), mean_loss(four, 0.45), what="the loss of 7 pairs, beta 0.45", scale=40)


def test_logprobs_add_up_what_each_position_says_of_the_next_token(answer):
    logits, labels = 2 * randn(3, 7, 5, offset=31), randint(0, 5, [3, 7], offset=32)
    expected = [by_definition(logits[b], labels[b].tolist()) for b in range(3)]
    expect.note("tokens", 6)
    actual = logprobs_of(answer, logits, labels)
    expect.close(actual, expected, what="the log-probabilities of 3 sequences of 7")


def by_definition(logits, labels):
    """The sum over the labels from the second on, each scored by the logits before it."""
    total = 0.0
    for t in range(1, len(labels)):
        if labels[t] != -100:
            exponentials = [math.exp(z) for z in logits[t - 1].tolist()]
            total += math.log(exponentials[labels[t]] / sum(exponentials))
    return total


def test_a_batch_of_one_and_sequences_of_two_keep_their_shape(answer):
    for size, length in ((1, 6), (3, 2), (1, 2), (2, 1)):
        logits, labels = randn(size, length, 5, offset=111), randint(0, 5, [size, length], offset=112)
        what = f"the log-probabilities of {size} sequences of {length}"
        actual = expect.tensor(logprobs_of(answer, logits, labels), what=what, shape=(size,))
        expected = [by_definition(logits[b], labels[b].tolist()) for b in range(size)]
        expect.close(actual, expected, what=what, scale=20.0)


def test_labels_of_minus_100_are_left_out(answer):
    logits, labels = 2 * randn(4, 9, 6, offset=33), randint(0, 6, [4, 9], offset=34)
    labels[0, :4] = -100  # a prompt
    labels[1, :3], labels[1, 7:] = -100, -100  # a prompt and padding
    labels[2, 5] = -100
    expected = [by_definition(logits[b], labels[b].tolist()) for b in range(4)]
    what = "the log-probabilities of 4 sequences, 3 with labels of -100"
    expect.close(logprobs_of(answer, logits, labels), expected, what=what)
    labels[3] = -100
    labels[2, 1:] = -100
    expected = [by_definition(logits[b], labels[b].tolist()) for b in range(4)]
    what = "the log-probabilities where two sequences have no label that counts"
    expect.close(logprobs_of(answer, logits, labels), expected, what=what)


def test_the_gradient_goes_to_the_policy_alone(answer):
    leaves = [values.requires_grad_() for values in log_probabilities(3, offset=41)]
    result = dpo_of(answer, leaves, beta=0.6)
    chosen, rejected, *reference = gradients(part(result, "loss"), leaves)
    pull = torch.tensor([0.6 * sigmoid(-margin) / 3 for margin in margins(leaves, 0.6)], dtype=torch.float64)
    zero = torch.zeros(3, dtype=torch.float64)
    chosen, rejected = (zero if g is None else g for g in (chosen, rejected))
    expect.close(chosen, -pull, what="the gradient of the chosen log-probabilities", scale=40)
    expect.close(rejected, pull, what="the gradient of the rejected log-probabilities", scale=40)
    for name, gradient in zip(NAMES[2:], reference, strict=True):
        expect.close(zero if gradient is None else gradient, zero, what=f"the gradient that reaches {name}")


FAR, NEAR = (20000.0, -20000.0, -40000.0), (80.0, -80.0, -42.0, 0.5, 0.0)  # Times a beta of 0.25.


def test_margins_of_ten_thousand_give_the_exact_loss_and_gradient(answer):
    for dtype in (torch.float64, torch.float32):
        for values, which in ((FAR, "margins 5e3, -5e3, -1e4"), (NEAR, "margins 20, -20, -10.5, 0.125, 0")):
            losses, pulls = [], []
            for value in values:
                numbers = (-20.0 + min(value, 0.0), -20.0 - max(value, 0.0), -20.0, -20.0)
                four = [torch.tensor([number], dtype=dtype) for number in numbers]
                chosen = four[0].requires_grad_()
                loss = expect.tensor(part(dpo_of(answer, four, beta=0.25), "loss"), what="the loss", shape=())
                losses.append(loss)
                gradient = gradients(loss, [chosen])[0]
                pulls.append(0.0 if gradient is None else float(gradient))
            losses = [float(loss.detach()) for loss in losses]
            expected = [minus_log_sigmoid(0.25 * value) for value in values]
            expect.close(losses, expected, what=f"the losses for {which}, {dtype}", terms=8, dtype=torch.float32)
            expected = [-0.25 * sigmoid(-0.25 * value) for value in values]
            expect.close(pulls, expected, what=f"the gradients for {which}, {dtype}", terms=8, dtype=torch.float32)


def test_accuracy_is_the_share_of_pairs_with_the_higher_chosen_reward(answer):
    policy_chosen = torch.tensor([-13.5, -9.0, -11.25, -4.0, -8.5, -6.0, -30.0], dtype=torch.float64)
    policy_rejected = torch.tensor([-8.0, -5.0, -9.25, -6.0, -2.5, -2.0, -4.0], dtype=torch.float64)
    ref_chosen = torch.tensor([-14.5, -11.0, -10.25, -1.0, -8.5, -9.0, -29.0], dtype=torch.float64)
    ref_rejected = torch.tensor([-6.0, -3.0, -8.25, -5.0, -4.75, -4.0, -2.5], dtype=torch.float64)
    # The reward differences / beta are 3, 4, 0, -2, -2.25, 1 and 0.5: four of seven above 0, one a tie.
    result = dpo_of(answer, [policy_chosen, policy_rejected, ref_chosen, ref_rejected], beta=0.25)
    what = "the accuracy of 7 pairs, one of them a tie"
    expect.close(part(result, "accuracy"), 4 / 7, what=what, dtype=torch.float32)


def test_beta_is_a_tenth_unless_told_otherwise(answer):
    four = log_probabilities(3, offset=51)
    result = dpo_of(answer, four)
    expect.close(part(result, "loss"), mean_loss(four, 0.1), what="the loss of 3 pairs, no beta given", scale=40)


def test_rewards_and_accuracy_hold_no_graph(answer):
    leaves = [values.requires_grad_() for values in log_probabilities(3, offset=61)]
    result = dpo_of(answer, leaves, beta=0.6)
    for name in ("chosen_reward", "rejected_reward", "accuracy"):
        value = part(result, name)
        held = expect.tensor(value, what=name, shape=() if name == "accuracy" else (3,)).requires_grad
        expect.true(not held, what=f"the {name}, which must be detached", actual=value, expected="no graph")


def test_the_gradient_of_the_logprobs_is_one_hot_minus_softmax(answer):
    logits = (2 * randn(2, 5, 4, offset=71)).requires_grad_()
    labels = randint(0, 4, [2, 5], offset=72)
    labels[0, :2] = -100
    upstream = torch.tensor([0.7, -1.3], dtype=torch.float64)
    total = expect.tensor(logprobs_of(answer, logits, labels), what="the log-probabilities", shape=(2,))
    held = total.requires_grad
    what = "the log-probabilities, which must be attached to the graph"
    expect.true(held, what=what, actual=total, expected="a sum with a graph")
    gradient = torch.autograd.grad((total * upstream).sum(), logits, allow_unused=True)[0]
    expected = torch.zeros(2, 5, 4, dtype=torch.float64)
    for b in range(2):
        for t in range(4):
            if labels[b, t + 1] != -100:
                expected[b, t] = -torch.softmax(logits[b, t].detach(), 0)
                expected[b, t, labels[b, t + 1]] += 1
    expected *= upstream.view(2, 1, 1)
    gradient = torch.zeros_like(expected) if gradient is None else gradient
    expect.close(gradient, expected, what="the gradient of the logits", scale=1.3)
    for length in (5, 1):
        logits, labels = randn(2, length, 4, offset=77).requires_grad_(), torch.full([2, length], -100)
        what = f"the log-probabilities of {length} labels that don't count"
        total = expect.tensor(logprobs_of(answer, logits, labels), what=what, shape=(2,))
        expect.true(total.requires_grad, what=f"{what}: a graph", actual=total, expected="a sum with a graph")
        gradient = torch.autograd.grad(total.sum(), logits, allow_unused=True)[0]
        zero = torch.zeros_like(logits)
        expect.close(zero if gradient is None else gradient, zero, what=f"the gradient of {what[4:]}")


def test_large_logits_give_finite_logprobs(answer):
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        logits = torch.zeros(2, 4, 3, dtype=dtype)
        logits[:, :, 1] = 2048.0
        logits[1] -= 1024.0
        labels = torch.tensor([[0, 1, 1, 1], [2, 1, 0, 2]])
        actual = logprobs_of(answer, logits, labels)
        expect.close(actual, [0.0, -4096.0], what=f"the log-probabilities for {dtype} logits that lie 2048 apart")


def test_half_precision_logits_are_added_up_in_float32(answer):
    for dtype in (torch.bfloat16, torch.float16):
        logits, labels = 2 * randn(2, 60, 11, offset=73, dtype=dtype), randint(0, 11, [2, 60], offset=74)
        expected = [by_definition(logits[b].double(), labels[b].tolist()) for b in range(2)]
        actual = logprobs_of(answer, logits, labels)
        actual = expect.tensor(actual, what=f"the log-probabilities of {dtype} logits", dtype=torch.float32)
        # 59 terms of at most 12, each rounded a few times in float32.
        expect.close(actual, expected, what=f"the log-probabilities of 59 {dtype} tokens", terms=40)
        for length in (6, 1):
            none = torch.full([2, length], -100)
            what = f"the log-probabilities of {length} {dtype} logits, no label counts"
            expect.tensor(logprobs_of(answer, logits[:, :length], none), what=what, dtype=torch.float32, shape=(2,))
    for dtype in (torch.float32, torch.float64):
        actual = logprobs_of(answer, randn(2, 6, 5, offset=75, dtype=dtype), randint(0, 5, [2, 6], offset=76))
        expect.tensor(actual, what=f"the log-probabilities of {dtype} logits", dtype=dtype, shape=(2,))
    for dtype in (torch.float32, torch.float64):
        result = dpo_of(answer, log_probabilities(3, offset=81, dtype=dtype), beta=0.6)
        for name, shape in (("loss", ()), ("chosen_reward", (3,)), ("rejected_reward", (3,))):
            expect.tensor(part(result, name), what=f"the {name} of {dtype} inputs", dtype=dtype, shape=shape)


def test_nothing_that_was_handed_in_is_changed(answer):
    for dtype in (torch.float32, torch.float64):
        four = dict(zip(NAMES, log_probabilities(4, offset=91, dtype=dtype), strict=True))
        with expect.untouched(f"the {dtype} log-probabilities", four):
            answer.dpo_loss(*four.values(), beta=0.6)
        logits, labels = randn(2, 6, 5, offset=95, dtype=dtype), randint(0, 5, [2, 6], offset=96)
        labels[:, :3] = -100
        with expect.untouched("the inputs of sequence_logprobs", {"logits": logits, "labels": labels}):
            answer.sequence_logprobs(logits, labels)


def test_an_empty_batch_is_an_error(answer):
    none = torch.zeros(0, dtype=torch.float64)
    expect.raises(ValueError, lambda: answer.dpo_loss(none, none, none, none), what="a batch of 0 pairs")
