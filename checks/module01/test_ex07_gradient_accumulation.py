"""1.07: groups of uneven micro-batches, each compared with one big batch of all its rows.

Long: 23 checks, and the model that writes down when it runs forward and backward.
"""

import copy
import weakref

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from tunelings import expect
from tunelings.handson.awkward import models
from tunelings.inputs import randint, randn, seed

FEATURES, CLASSES = 3, 5
IGNORED = -100
OPTIONS = {"lr": 0.3, "momentum": 0.7, "weight_decay": 0.2}  # A step with a zero gradient moves the weights too.


class Saved:
    """A tensor that autograd keeps for backward; gone as soon as nobody keeps the graph."""

    def __init__(self, tensor):
        self.tensor = tensor


class Tagger(nn.Module):
    """One linear layer on each position of a sequence; writes down when it runs forward and backward.

    `left_over` has, for each forward, the number of tensors that earlier graphs still keep for backward.
    """

    def __init__(self):
        super().__init__()
        torch.manual_seed(seed())
        self.linear = nn.Linear(FEATURES, CLASSES, dtype=torch.float64)
        self.passes: list[str] = []
        self.left_over: list[int] = []
        self.saved = weakref.WeakSet()

    def forward(self, inputs):
        self.passes.append("forward")
        self.left_over.append(len(self.saved))
        with torch.autograd.graph.saved_tensors_hooks(self.keep, lambda saved: saved.tensor):
            outputs = self.linear(inputs)
        if outputs.requires_grad:
            outputs.register_hook(lambda gradient: self.passes.append("backward"))
        return outputs

    def keep(self, tensor):
        saved = Saved(tensor)
        self.saved.add(saved)
        return saved


def micro_batches(*counts, width=7, offset=0):
    """One micro-batch for each count: 2 sequences of `width` positions, of which `count` have a target."""
    made = []
    for number, count in enumerate(counts):
        inputs = randn(2, width, FEATURES, offset=offset + 2 * number + 1)
        targets = randint(0, CLASSES, (2 * width,), offset=offset + 2 * number + 2)
        targets[count:] = IGNORED
        made.append((inputs, targets.reshape(2, width)))
    return made


def loader(batches):
    return DataLoader(batches, batch_size=None)  # Hands out the micro-batches as they are.


def train(answer, model, batches, loss_fn, optimizer, steps):
    """The losses of one epoch of the answer, a list of floats; the micro-batches must be as they were."""
    with expect.untouched("the micro-batches", batches):
        losses = answer.train_epoch(model, loader(batches), loss_fn, optimizer, steps)
    return expect.kind(losses, list, of=float, what="the list of losses")


def summed_loss(outputs, targets):
    """The sum of the losses of all positions with a target, and the number of those positions."""
    total = F.cross_entropy(outputs.reshape(-1, CLASSES), targets.reshape(-1), reduction="sum", ignore_index=IGNORED)
    return total, int((targets != IGNORED).sum())


def big_batches(model, groups, options=OPTIONS):
    """A copy of the model after one plain step for each group, its losses and its gradients at each step.

    The rows of a group that have a target are put together into one batch, and torch takes their mean.
    """
    model = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), **options)
    losses, gradients = [], []
    for group in groups:
        inputs = torch.cat([batch.reshape(-1, FEATURES) for batch, _ in group])
        targets = torch.cat([batch.reshape(-1) for _, batch in group])
        kept = targets != IGNORED
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[kept]), targets[kept])
        loss.backward()
        gradients.append(model.linear.weight.grad.clone())
        optimizer.step()
        losses.append(loss.item())
    return model, losses, gradients


def sgd(model):
    """An optimizer of the model, and the list of the weight's gradients that its steps see."""
    optimizer = torch.optim.SGD(model.parameters(), **OPTIONS)
    seen = []

    def keep_gradient(*_):
        gradient = model.linear.weight.grad
        seen.append(torch.zeros_like(model.linear.weight) if gradient is None else gradient.clone())

    optimizer.register_step_pre_hook(keep_gradient)
    return optimizer, seen


def note_first_gradients(big, seen):
    """For the diagnosis: the first gradient of the big batch and of the answer, and all that it saw."""
    expect.note("gradients", seen)
    if seen:
        expect.note("big", big[0])
        expect.note("seen", seen[0])
        expect.note("ratio", (seen[0].flatten()[0] / big[0].flatten()[0]).item())


def compare(answer, batches, steps, groups, what):
    """Run one epoch and compare the weight and the bias with those of one big batch for each group."""
    model = Tagger()
    big, _, gradients = big_batches(model, groups)
    optimizer, seen = sgd(model)
    losses = train(answer, model, batches, summed_loss, optimizer, steps)
    note_first_gradients(gradients, seen)
    expect.close(model.linear.weight, big.linear.weight, what=f"the weight after {what}")
    expect.close(model.linear.bias, big.linear.bias, what=f"the bias after {what}")
    return losses


def test_a_group_moves_the_weights_as_one_big_batch_would(answer):
    batches = micro_batches(2, 11, 5)
    model = Tagger()
    optimizer, seen = sgd(model)
    train(answer, model, batches, summed_loss, optimizer, 4)
    expect.note("seen in a group that is not full", seen)
    expect.note("backward passes", model.passes.count("backward"))
    compare(answer, batches, 3, [batches], what="one group of 2 + 11 + 5 losses")


def test_every_group_starts_from_nothing_and_makes_one_update(answer):
    batches = micro_batches(4, 9, 12, 3)
    compare(answer, batches, 2, [batches[:2], batches[2:]], what="two groups of two micro-batches")


def test_a_last_group_that_is_not_full_is_an_update_like_any_other(answer):
    batches = micro_batches(4, 4, 4, 9, 2)
    compare(answer, batches, 3, [batches[:3], batches[3:]], what="a group of three and one of two")
    batches = micro_batches(6, 13, offset=50)
    compare(answer, batches, 7, [batches], what="two micro-batches where seven make a group")


def test_backward_runs_for_each_micro_batch_before_the_next_forward(answer):
    model = Tagger()
    optimizer, _ = sgd(model)
    train(answer, model, micro_batches(3, 8, 6), summed_loss, optimizer, 2)
    expect.equal(" ".join(model.passes), " ".join(["forward backward"] * 3), what="the passes of three micro-batches")
    expect.equal(model.left_over, [0, 0, 0], what="saved tensors of earlier graphs at each forward")
    model = Tagger()
    train(answer, model, micro_batches(3, 0, 6), summed_loss, sgd(model)[0], 3)
    what = "the passes of three micro-batches, of which the second counts nothing"
    expect.equal(" ".join(model.passes), " ".join(["forward backward"] * 3), what=what)


def test_each_update_returns_the_mean_loss_of_its_group(answer):
    batches = micro_batches(4, 9, 12, 3, 7)
    groups = [batches[:2], batches[2:4], batches[4:]]
    model = Tagger()
    _, expected, _ = big_batches(model, groups)
    expect.note("means", [big_batches(model, [[batch]])[1][0] for batch in groups[0]])
    optimizer, _ = sgd(model)
    losses = train(answer, model, batches, summed_loss, optimizer, 2)
    expect.close(losses, expected, what="the losses of three groups")


def test_gradients_from_before_the_call_have_no_effect(answer):
    model = Tagger()
    batches = micro_batches(8, 3)
    big, _, gradients = big_batches(model, [batches])
    optimizer, seen = sgd(model)
    old = randn(CLASSES, FEATURES, offset=90)
    model.linear.weight.grad = old.clone()
    expect.note("old", old)
    train(answer, model, batches, summed_loss, optimizer, 2)
    note_first_gradients(gradients, seen)
    expect.close(model.linear.weight, big.linear.weight, what="the weight, with old gradients in .grad")


def test_a_group_that_counts_nothing_makes_no_update_and_no_entry(answer):
    batches = micro_batches(6, 0, 0, 0, 0, 1, 0)
    groups = [batches[:2], batches[4:6]]
    model = Tagger()
    big, expected, _ = big_batches(model, groups)
    optimizer, _ = sgd(model)
    losses = train(answer, model, batches, summed_loss, optimizer, 2)
    expect.close(model.linear.weight, big.linear.weight, what="the weight after groups of 6, 0, 1 and 0 losses")
    expect.close(losses, expected, what="the losses of groups of 6, 0, 1 and 0 losses")


def test_groups_of_one_are_plain_training(answer):
    batches = micro_batches(5, 14, 2, width=8)
    losses = compare(answer, batches, 1, [[batch] for batch in batches], what="three groups of one micro-batch")
    expect.close(losses, big_batches(Tagger(), [[b] for b in batches])[1], what="the losses of three groups of one")


def test_a_frozen_parameter_stays_as_it_is(answer):
    model = Tagger()
    model.linear.weight.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), **OPTIONS)
    batches = micro_batches(5, 9)
    with expect.unchanged("the frozen weight", model.linear.weight):
        train(answer, model, batches, summed_loss, optimizer, 2)


class Tied(nn.Module):
    """Two layers on each position that share their weight, and one on top of them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(seed())
        self.first = nn.Linear(FEATURES, FEATURES, dtype=torch.float64)
        self.second = nn.Linear(FEATURES, FEATURES, dtype=torch.float64)
        self.second.weight = self.first.weight
        self.linear = nn.Linear(FEATURES, CLASSES, dtype=torch.float64)

    def forward(self, inputs):
        return self.linear(self.second(self.first(inputs).tanh()))


def test_a_weight_shared_by_two_layers_is_divided_once(answer):
    model, batches = Tied(), micro_batches(5, 9)
    big, _, _ = big_batches(model, [batches])
    train(answer, model, batches, summed_loss, torch.optim.SGD(model.parameters(), **OPTIONS), 2)
    for name, expected in big.named_parameters():
        expect.close(model.get_parameter(name), expected, what=f"{name} of a model whose two layers share a weight")


def test_a_steep_loss_is_followed_at_its_full_length(answer):
    model = Tagger()
    batches = [(4e8 * inputs, targets) for inputs, targets in micro_batches(8, 9)]
    big, _, _ = big_batches(model, [batches])
    train(answer, model, batches, summed_loss, torch.optim.SGD(model.parameters(), **OPTIONS), 2)
    expect.close(model.linear.weight, big.linear.weight, what="the weight after one update down a steep loss")


def test_an_empty_loader_gives_an_empty_list(answer):
    model = Tagger()
    optimizer, seen = sgd(model)
    before = model.linear.weight.detach().clone()
    losses = answer.train_epoch(model, loader([]), summed_loss, optimizer, 2)
    expect.equal(losses, [], what="the losses of an empty loader", exact_types=True)
    expect.close(model.linear.weight, before, what="the weight after an empty loader")


def test_fewer_than_one_accumulation_step_is_a_value_error(answer):
    for steps in (0, -3):
        model = Tagger()
        optimizer, _ = sgd(model)
        expect.raises(
            ValueError,
            lambda: train(answer, model, micro_batches(4, 9), summed_loss, optimizer, steps),  # noqa: B023
            what=f"train_epoch with accumulation_steps={steps}",
            mentions=[steps],
        )
        expect.raises(
            ValueError,
            lambda: train(answer, model, [], summed_loss, optimizer, steps),  # noqa: B023
            what=f"train_epoch with accumulation_steps={steps} and an empty loader",
            mentions=[steps],
        )


def test_an_old_gradient_does_not_move_a_frozen_parameter(answer):
    model, batches = Tagger(), micro_batches(5, 9, 4)
    model.linear.bias.requires_grad_(False)
    big, _, _ = big_batches(model, [batches[:2], batches[2:]])
    before = models.leave_old_gradients(model)
    train(answer, model, batches, summed_loss, torch.optim.SGD(model.parameters(), **OPTIONS), 2)
    expect.close(model.linear.bias, before["linear.bias"], what="the frozen bias with an old gradient", terms=0)
    expect.close(model.linear.weight, big.linear.weight, what="the weight beside a frozen bias")


def test_every_group_of_the_optimizer_is_divided(answer):
    batches = micro_batches(4, 9)
    model = Tagger()
    weight = model.linear.weight.detach().clone()
    _, _, (gradient,) = big_batches(model, [batches])
    groups = [{"params": [model.linear.bias]}, {"params": [model.linear.weight], "lr": 0.1}]
    big, _, _ = big_batches(model, [batches], {"lr": 0.3})
    train(answer, model, batches, summed_loss, torch.optim.SGD(groups, lr=0.3), 2)
    expect.close(model.linear.bias, big.linear.bias, what="the bias, in the first of two groups")
    expect.close(model.linear.weight, weight - 0.1 * gradient, what="the weight, in the second of two groups")


def test_the_count_is_the_one_that_loss_fn_gives(answer):
    model, batches = Tagger(), micro_batches(6, 9)
    for _, targets in batches:
        targets[0, :3] = torch.tensor([1, 4, 3])
    counted = [(inputs, targets.masked_fill(targets >= 3, IGNORED)) for inputs, targets in batches]
    big, expected, _ = big_batches(model, [counted])

    def loss_fn(outputs, targets):
        return summed_loss(outputs, targets.masked_fill(targets >= 3, IGNORED))

    losses = train(answer, model, batches, loss_fn, sgd(model)[0], 2)
    expect.close(model.linear.weight, big.linear.weight, what="the weight where loss_fn leaves out classes 3 and 4")
    expect.close(losses, expected, what="the loss where loss_fn leaves out classes 3 and 4")


def test_a_group_whose_loss_is_zero_makes_an_update_like_any_other(answer):
    model = Tagger()
    decayed = model.linear.weight.detach() * (1 - OPTIONS["lr"] * OPTIONS["weight_decay"])
    losses = train(answer, model, micro_batches(6, 9), lambda outputs, _: (0 * outputs.sum(), 3), sgd(model)[0], 2)
    expect.close(losses, [0.0], what="the losses of a group of 3 + 3 losses that are all 0")
    expect.close(model.linear.weight, decayed, what="the weight, which decays at a loss of 0 too")


def test_the_loader_is_read_in_one_pass(answer):
    orders = iter([[2, 0, 3, 1, 4], [4, 3, 2, 1, 0], [1, 4, 0, 2, 3], [0, 1, 2, 3, 4]])

    class OtherOrderEachTime(torch.utils.data.Sampler):
        def __iter__(self):
            return iter(next(orders))

        def __len__(self):
            return 5

    model, batches, seen = Tagger(), micro_batches(4, 9, 12, 3, 7), []
    model.register_forward_pre_hook(lambda _, args: seen.extend(b for b in range(5) if args[0].equal(batches[b][0])))
    shuffled = DataLoader(batches, batch_size=None, sampler=OtherOrderEachTime())
    with expect.untouched("the micro-batches", batches):
        answer.train_epoch(model, shuffled, summed_loss, sgd(model)[0], 2)
    expect.equal(seen, [2, 0, 3, 1, 4], what="the micro-batches that the model saw, in the order of the loader")


def test_half_precision_losses_are_added_up_exactly(answer):
    def loss_fn(outputs, targets):  # 256 for the micro-batch of 9 targets, 1 for the one of 4
        size = 256 if int((targets != IGNORED).sum()) == 9 else 1
        return (0 * outputs.sum() + size).bfloat16(), 1

    model = Tagger()
    losses = train(answer, model, micro_batches(9, 4), loss_fn, sgd(model)[0], 2)
    expect.close(losses, [128.5], what="the loss of a group whose bfloat16 losses are 256 and 1", terms=0)


def test_losses_of_any_size_are_returned_as_they_are(answer):
    for size in (1e-7, 50.0, 1e9, -3.0):
        model = Tagger()
        batches = micro_batches(6, 9)
        losses = train(
            answer, model, batches, lambda outputs, _, size=size: (size + 0 * outputs.sum(), 2), sgd(model)[0], 2
        )
        expect.close(losses, [size / 2], what=f"the loss of two micro-batches whose sums are {size:g} and counts 2")


def test_an_infinite_loss_with_a_finite_gradient_is_followed(answer):
    model, batches = Tagger(), micro_batches(6, 9)
    big, _, _ = big_batches(model, [batches])

    def loss_fn(outputs, targets):
        total, count = summed_loss(outputs, targets)
        return total + torch.inf, count

    losses = train(answer, model, batches, loss_fn, sgd(model)[0], 2)
    expect.equal(losses, [torch.inf], what="the losses of a group whose loss is infinite")
    what = "the weight after a group whose loss is infinite and gradient finite"
    expect.close(model.linear.weight, big.linear.weight, what=what)


def test_loss_fn_gets_outputs_and_targets_as_they_are(answer):
    model, gets, outputs_of = Tagger(), [], []
    batches = micro_batches(2, width=1)
    expected = model.linear(batches[0][0]).detach()

    def loss_fn(*args):
        gets.append([f"{arg.dtype} {list(arg.shape)}".removeprefix("torch.") for arg in args])
        outputs_of.append(args[0].detach().clone())
        return summed_loss(*args)

    train(answer, model, batches, loss_fn, sgd(model)[0], 2)
    expect.equal(gets[-1:], [["float64 [2, 1, 5]", "int64 [2, 1]"]], what="what loss_fn gets of one micro-batch")
    expect.close(outputs_of[-1], expected, what="the outputs that loss_fn gets")


def test_a_float32_model_is_computed_in_float32(answer):
    model, batches = Tagger().float(), [(inputs.float(), targets) for inputs, targets in micro_batches(6, 9)]
    wide = [(inputs.double(), targets) for inputs, targets in batches]
    big, _, _ = big_batches(copy.deepcopy(model).double(), [wide])
    train(answer, model, batches, summed_loss, torch.optim.SGD(model.parameters(), **OPTIONS), 2)
    expect.close(model.linear.weight, big.linear.weight, what="the weight of a float32 model after one group")
