"""1.06: the mean over the examples, in eval mode, without a graph; and everything as it was before.

Long: 23 checks, one promise each, with a model or a loader that shows it.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tunelings import expect
from tunelings.handson.awkward import models as awkward
from tunelings.inputs import randint, randn, seed


def loss_of(result):
    return float_of(result, "loss")


def accuracy_of(result):
    return float_of(result, "accuracy")


def float_of(result, field):
    """The field of the result, which is a Python float and nothing else."""
    expect.true(
        hasattr(result, field),
        f"what is returned, which must have a field `{field}`",
        actual=result,
        expected="Metrics(loss=…, accuracy=…)",
    )
    return expect.kind(getattr(result, field), float, what=f"the field `{field}`")


def evaluate(answer, model, loader, loss_fn):
    """What `evaluate` returns, after a look at whether it has changed weights or batches."""
    batches = loader.dataset.tensors if isinstance(loader, DataLoader) else loader if isinstance(loader, list) else []
    given = {"weights": [p.detach() for p in model.parameters()], "batches": batches}
    with expect.untouched("what was given", given, errors=ValueError):
        return answer.evaluate(model, loader, loss_fn)


def smoothed_cross_entropy(outputs, targets):
    return F.cross_entropy(outputs, targets, label_smoothing=0.3)


def close_loss(result, expected, what):
    """A mean over a dozen losses; the sums may be kept in float32 whatever the model computes in."""
    expect.close(loss_of(result), expected, what=what, terms=20, scale=4.0, dtype=torch.float32)


def linear(n_in=6, n_classes=5):
    torch.manual_seed(seed())
    return nn.Linear(n_in, n_classes, dtype=torch.float64)


def examples(count, n_in=6, n_classes=5):
    return randn(count, n_in, offset=1), randint(0, n_classes, (count,), offset=2)


def batches(inputs, targets, size):
    """A real DataLoader; its last batch is smaller where `size` does not divide the number of examples."""
    return DataLoader(TensorDataset(inputs, targets), batch_size=size)


def deep_model():
    """Linear, BatchNorm and Dropout; what BatchNorm has learned is far from 0 and 1."""
    layers = OrderedDict(linear=linear(), norm=nn.BatchNorm1d(5), dropout=nn.Dropout(0.4), out=linear(5, 5))
    model = nn.Sequential(layers).double()
    with torch.no_grad():
        model.norm.running_mean.copy_(randn(5, offset=5))
        model.norm.running_var.copy_(randn(5, offset=6) ** 2 + 0.3)
        model.norm.weight.copy_(randn(5, offset=7))
        model.norm.bias.copy_(randn(5, offset=8))
    return model


def modes_of(model):
    return {name or "the model": module.training for name, module in model.named_modules()}


def test_the_loss_is_the_mean_over_examples_not_over_batches(answer):
    model = linear()
    inputs, targets = examples(7)
    outputs = inputs @ model.weight.detach().T + model.bias.detach()
    each = F.cross_entropy(outputs, targets, reduction="none", label_smoothing=0.3)
    expect.note("batch_means", torch.stack([each[:3].mean(), each[3:6].mean(), each[6]]))
    result = evaluate(answer, model, batches(inputs, targets, 3), smoothed_cross_entropy)
    close_loss(result, each.mean(), what="the loss of 7 examples in batches of 3, 3, 1")


def test_the_accuracy_is_the_share_of_right_examples(answer):
    # Three batches of 4, 4 and 1 rows with 4 classes: 3, 1 and 1 right. In the first two each class is
    # the largest once in its row and once in its column, so that the wrong axis gives another count.
    predicted = torch.tensor([1, 2, 3, 0, 2, 3, 1, 0, 2])
    targets = torch.tensor([1, 2, 3, 1, 3, 3, 0, 2, 2])
    scores = 3 * F.one_hot(predicted, 4) + torch.sigmoid(randn(9, 4, offset=1))
    model = linear(4, 4)
    with torch.no_grad():
        model.weight.copy_(torch.eye(4))
        model.bias.copy_(torch.tensor([0.1, -0.2, 0.15, -0.05]))
    expect.note("batch_means", torch.tensor([3 / 4, 1 / 4, 1.0], dtype=torch.float64))
    first = evaluate(answer, model, batches(scores[:4], targets[:4], 4), F.cross_entropy)
    expect.note("first_batch_alone", accuracy_of(first))
    many = [(randn(40, 12, offset=3), randint(0, 12, (40,), offset=4))]
    expect.note("twelve_classes", accuracy_of(evaluate(answer, nn.Identity(), many, F.cross_entropy)))
    result = evaluate(answer, model, batches(scores, targets, 4), F.cross_entropy)
    expect.close(
        accuracy_of(result),
        5 / 9,
        what="the accuracy with 3 of 4, 1 of 4 and 1 of 1 right",
        dtype=torch.float32,
    )


def test_examples_are_counted_whatever_the_shape_of_the_inputs(answer):
    class TimeFirst(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = linear()

        def forward(self, inputs):  # [time, batch, features]
            return self.linear(inputs.mean(0))

    model = TimeFirst()
    inputs, targets = randn(3, 9, 6, offset=1), randint(0, 5, (9,), offset=2)
    outputs = inputs.mean(0) @ model.linear.weight.detach().T + model.linear.bias.detach()
    expected = smoothed_cross_entropy(outputs, targets)
    loader = [(inputs[:, :7], targets[:7]), (inputs[:, 7:], targets[7:])]
    result = evaluate(answer, model, loader, smoothed_cross_entropy)
    close_loss(result, expected, what="the loss of inputs [3, 7, 6] and [3, 2, 6], time before batch")
    right = (outputs.argmax(1) == targets).sum().item() / 9
    expect.close(
        accuracy_of(result), right, what="the accuracy of 9 examples, time before batch", dtype=torch.float32, scale=1
    )


def test_dropout_is_off(answer):
    model = nn.Sequential(nn.Dropout(0.6), linear())
    inputs, targets = examples(7)
    outputs = inputs @ model[1].weight.detach().T + model[1].bias.detach()
    in_train_mode = []
    model[0].register_forward_hook(lambda module, *_: in_train_mode.append(int(module.training)))
    result = evaluate(answer, model, batches(inputs, targets, 3), smoothed_cross_entropy)
    expect.note("in_train_mode", in_train_mode)
    expected = smoothed_cross_entropy(outputs, targets)
    close_loss(result, expected, what="the loss of a model with dropout")


def test_batchnorm_uses_what_it_has_learnt_and_learns_nothing(answer):
    model = nn.Sequential(linear(), nn.BatchNorm1d(5)).double()
    norm = model[1]
    norm.running_mean, norm.running_var = randn(5, offset=5), randn(5, offset=6) ** 2 + 0.3
    norm.num_batches_tracked.fill_(7)
    with torch.no_grad():
        norm.weight.copy_(randn(5, offset=7))
        norm.bias.copy_(randn(5, offset=8))
        inputs, targets = examples(8)
        hidden = inputs @ model[0].weight.T + model[0].bias
        outputs = (hidden - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
    expected = smoothed_cross_entropy(outputs, targets)
    with expect.unchanged("BatchNorm", dict(norm.named_buffers())):
        result = evaluate(answer, model, batches(inputs, targets, 3), smoothed_cross_entropy)
    close_loss(result, expected, what="the loss of a model with BatchNorm")


def test_the_mode_that_the_model_came_in_is_restored(answer):
    in_train_mode = []
    for comes_in_train in (True, False):
        model = deep_model().train(comes_in_train)
        evaluate(answer, model, batches(*examples(8), 3), F.cross_entropy)
        in_train_mode.append(sum(modes_of(model).values()))
    what = "how many of 5 modules train afterwards (came in train, in eval mode)"
    expect.equal(in_train_mode, [5, 0], what=what)


def test_a_frozen_batchnorm_stays_frozen(answer):
    model = deep_model().train()
    model.norm.eval()
    before = [name for name, training in modes_of(model).items() if training]
    evaluate(answer, model, batches(*examples(8), 3), F.cross_entropy)
    after = [name for name, training in modes_of(model).items() if training]
    expect.equal(after, before, what="what is in train mode on return")
    model = deep_model().eval()
    model.dropout.train()  # dropout kept on, to measure how sure a model is
    evaluate(answer, model, batches(*examples(8), 3), F.cross_entropy)
    after = [name for name, training in modes_of(model).items() if training]
    expect.equal(after, ["dropout"], what="what is in train mode on return, where dropout alone was on entry")
    model = nn.Sequential(OrderedDict(block=deep_model())).train()
    model.block.norm.eval()
    before = [name for name, training in modes_of(model).items() if training]
    evaluate(answer, model, batches(*examples(8), 3), F.cross_entropy)
    after = [name for name, training in modes_of(model).items() if training]
    expect.equal(after, before, what="what is in train mode on return, where a norm inside a block was not")


def test_every_submodule_is_in_eval_mode_while_the_model_runs(answer):
    models = awkward.awkward_model(outputs=5, p=0.3), awkward.awkward_model(outputs=5, p=0.3).eval()
    models[1].norm.train()
    models[1].dropout.train()  # In train mode under a model that is not.
    for came_in, model in zip(("train mode", "eval mode, its norm and dropout in train mode"), models, strict=True):
        in_train_mode = set()
        for name, module in model.named_modules():
            module.register_forward_hook(
                lambda module, *_, n=name or "the model", seen=in_train_mode: seen.add(n) if module.training else None
            )
        loader = [(awkward.token_batch(4), torch.tensor([0, 3, 1, 4]))]
        evaluate(answer, model, loader, smoothed_cross_entropy)
        expect.equal(sorted(in_train_mode), [], what=f"what runs in train mode, where the model came in {came_in}")


def test_no_graph_is_built(answer):
    model = linear()
    with_graph = []
    model.register_forward_hook(lambda module, inputs, output: with_graph.append(int(output.requires_grad)))
    evaluate(answer, model, batches(*examples(7), 3), F.cross_entropy)
    expect.equal(sum(with_graph), 0, what="for how many of 3 batches a graph was built")


def test_grad_mode_is_as_before(answer):
    modes = []
    for mode in (True, False):
        with torch.set_grad_enabled(mode):
            evaluate(answer, linear(), batches(*examples(7), 3), F.cross_entropy)
            modes.append(int(torch.is_grad_enabled()))
    expect.equal(modes, [1, 0], what="grad mode on return, for 1 and for 0 on entry")


def test_a_generator_is_read_once(answer):
    model = linear()
    inputs, targets = examples(8)
    passes = []

    class Stream:
        def __iter__(self):
            passes.append(1)
            yield from [(inputs[:5], targets[:5]), (inputs[5:], targets[5:])]

    expected = F.cross_entropy(inputs @ model.weight.detach().T + model.bias.detach(), targets)
    result = evaluate(answer, model, (batch for batch in Stream()), F.cross_entropy)
    close_loss(result, expected, what="the loss when the batches come from a generator")
    passes.clear()
    evaluate(answer, model, Stream(), F.cross_entropy)
    expect.equal(len(passes), 1, what="how often the loader was read")


def test_an_empty_loader_is_a_value_error(answer):
    for loader, name in (([], "list"), (iter(()), "generator")):
        expect.raises(
            ValueError,
            lambda loader=loader: evaluate(answer, linear(), loader, F.cross_entropy),
            what=f"evaluating an empty {name}",
        )


def test_parameters_gradients_buffers_and_batches_are_untouched(answer):
    for mode in ("train", "eval"):
        model = awkward.awkward_model(outputs=5, p=0.3).train(mode == "train")
        awkward.leave_old_gradients(model)
        model.frozen.grad = None
        ids, targets = awkward.token_batch(8), randint(0, 5, (8,), offset=2)
        loader = [(ids[:5], targets[:5]), (ids[5:], targets[5:])]
        with expect.untouched(f"given in {mode} mode", {"model": model, "loader": loader}):
            answer.evaluate(model, loader, smoothed_cross_entropy)
    loader = [examples(4, n_in=5)]
    with expect.untouched("given to a model that returns its inputs", {"loader": loader}):
        answer.evaluate(nn.Identity(), loader, smoothed_cross_entropy)


def test_float32_and_one_big_batch(answer):
    torch.manual_seed(seed())
    model = nn.Linear(6, 5)
    inputs, targets = examples(11)
    inputs = inputs.float()
    outputs = (inputs.double() @ model.weight.detach().double().T + model.bias.detach().double()).detach()
    result = evaluate(answer, model, [[inputs, targets]], F.cross_entropy)
    expected = F.cross_entropy(outputs, targets)
    close_loss(result, expected, what="the loss in float32")
    right = sum(int(row.argmax()) == int(target) for row, target in zip(outputs, targets, strict=True))
    expect.close(accuracy_of(result), right / 11, what="the accuracy in float32", scale=1.0, dtype=torch.float32)


def test_only_the_examples_that_the_loader_yields_count(answer):
    model, (inputs, targets) = linear(), examples(8)
    cases = {
        "without its last 2 (drop_last)": ({"drop_last": True}, [0, 1, 2, 3, 4, 5]),
        "of which a sampler draws 5": ({"sampler": [6, 1, 4, 0, 3]}, [6, 1, 4, 0, 3]),
    }
    for case, (options, rows) in cases.items():
        loader = DataLoader(TensorDataset(inputs, targets), batch_size=3, **options)
        outputs = inputs[rows] @ model.weight.detach().T + model.bias.detach()
        result = evaluate(answer, model, loader, smoothed_cross_entropy)
        close_loss(result, smoothed_cross_entropy(outputs, targets[rows]), what=f"the loss of 8 examples {case}")
        right = (outputs.argmax(1) == targets[rows]).sum().item() / len(rows)
        what = f"the accuracy of 8 examples {case}"
        expect.close(accuracy_of(result), right, what=what, scale=1.0, dtype=torch.float32)


def test_all_right_and_none_right_are_floats_too(answer):
    model, predicted = linear(4, 4), torch.tensor([1, 2, 3, 0, 2])
    with torch.no_grad():
        model.weight.copy_(torch.eye(4))
        model.bias.zero_()
    for expected, targets in ((1.0, predicted), (0.0, (predicted + 1) % 4)):
        result = evaluate(answer, model, batches(F.one_hot(predicted, 4).double(), targets, 2), F.cross_entropy)
        what = f"the accuracy where {'all' if expected else 'none'} of 5 are right"
        expect.close(accuracy_of(result), expected, what=what, scale=1.0, dtype=torch.float32)


def test_a_batch_whose_loss_is_nan_counts_like_any_other(answer):
    model, inputs, targets = linear(), randn(7, 6, offset=1), torch.tensor([0, 3, 1, 2, 1, 2, 4])
    outputs = inputs @ model.weight.detach().T + model.bias.detach()
    right = (outputs.argmax(1) == targets).tolist()

    def loss_fn(outputs, targets):  # nan for class 4, which is in the last batch alone
        return (F.cross_entropy(outputs, targets, reduction="none").masked_fill(targets == 4, torch.nan)).mean()

    result = evaluate(answer, model, batches(inputs, targets, 3), loss_fn)
    loss = loss_of(result)
    expect.equal(loss != loss, True, what="whether the loss is nan, where that of one batch is")
    what = "the accuracy, where the loss of one batch is nan"
    expect.close(accuracy_of(result), sum(right) / 7, what=what, scale=1.0, dtype=torch.float32)


def test_bfloat16_scores_and_losses_are_counted_exactly(answer):
    """301 is no number of bfloat16, which counts in steps of 2 there."""
    model, targets = nn.Identity(), torch.arange(301) % 3
    scores = F.one_hot(targets, 3).to(torch.bfloat16)
    loader = [(scores[:200], targets[:200]), (scores[200:], targets[200:])]
    result = evaluate(answer, model, loader, lambda outputs, targets: outputs.new_ones(()))
    expect.close(loss_of(result), 1.0, what="the loss of 301 examples that cost 1 each, in bfloat16")
    result = evaluate(answer, model, [(scores, targets)], lambda outputs, targets: outputs.new_ones(()))
    expect.close(accuracy_of(result), 1.0, what="the accuracy of 301 examples that are all right, in bfloat16")


def test_the_largest_score_is_found_wherever_it_lies(answer):
    """exp of these is infinite or 0 in float64; two rows part at the ninth and second digit, two have one class."""
    rows = [[900.0, 950.0, 901.0], [-950.0, -901.0, -900.0], [40.0, 41.0, 50.0], [1.0, 1 + 1e-9, 0.0], [1.2, 1.0, 1.3]]
    rows += [[-2.0], [3.0]]
    right = []
    for row, target in zip(rows, (1, 2, 2, 1, 2, 0, 0), strict=True):
        loader = [(torch.tensor([row], dtype=torch.float64), torch.tensor([target]))]
        right.append(accuracy_of(evaluate(answer, nn.Identity(), loader, smoothed_cross_entropy)))
    expect.equal(right, 7 * [1.0], what="the accuracies on seven rows of scores between -950 and 950, all right")


def test_a_submodule_that_two_blocks_share_gets_its_own_mode_back(answer):
    for frozen in (True, False):
        shared = nn.Dropout(0.2)
        blocks = OrderedDict(one=nn.Sequential(linear(), shared), two=nn.Sequential(linear(5, 5), shared))
        model = nn.Sequential(blocks).train(frozen)
        shared.train(not frozen)
        before = modes_of(model)
        evaluate(answer, model, batches(*examples(8), 3), F.cross_entropy)
        mode = "eval" if frozen else "train"
        what = f"the modes on return, with a layer in {mode} mode that two blocks share"
        expect.equal(modes_of(model), before, what=what)
    model = nn.Sequential(linear(), nn.BatchNorm1d(5), linear(5, 5), nn.BatchNorm1d(5)).double()
    model[1].eval()
    model[2].eval()
    before = modes_of(model)
    evaluate(answer, model, batches(*examples(8), 3), F.cross_entropy)
    expect.equal(
        modes_of(model), before, what="the modes on return, with one of two BatchNorms and layers in eval mode"
    )


def test_losses_of_any_size_are_averaged(answer):
    for size in (1e-7, 50.0, 1e6, -3.0):
        result = evaluate(
            answer, linear(), batches(*examples(7), 3), lambda outputs, _, size=size: size + 0 * outputs.sum()
        )
        expect.close(loss_of(result), size, what=f"the loss where each batch has {size:g}", dtype=torch.float32)


def test_every_batch_counts_however_many_there_are(answer):
    model, (inputs, targets) = linear(), examples(130)
    outputs = inputs @ model.weight.detach().T + model.bias.detach()
    result = evaluate(answer, model, batches(inputs, targets, 1), smoothed_cross_entropy)
    expected = smoothed_cross_entropy(outputs, targets)
    close_loss(result, expected, what="the loss of 130 examples in batches of 1")
    right = (outputs.argmax(1) == targets).sum().item() / 130
    what = "the accuracy of 130 examples in batches of 1"
    expect.close(accuracy_of(result), right, what=what, scale=1.0, dtype=torch.float32)


def test_loss_fn_gets_the_outputs_as_the_model_returns_them(answer):
    """A squared error sees what a cross-entropy doesn't: a number added to all scores of a row."""
    scores, targets = randn(7, 5, offset=1), randint(0, 5, (7,), offset=2)
    loader = [(scores[:4], targets[:4]), (scores[4:], targets[4:])]
    result = evaluate(answer, nn.Identity(), loader, lambda outputs, _: (outputs**2).mean())
    close_loss(result, (scores**2).mean(), what="the mean square of the outputs")
