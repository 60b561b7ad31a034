"""What an answer is given is compared with copies made before the call, and what was changed is named."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from tunelings import expect
from tunelings.expect import CheckFailed
from tunelings.handson import tiny


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)
        self.tied = nn.Linear(3, 2)
        self.tied.weight = self.fc.weight

    def forward(self, x):
        return self.norm(self.fc(x))


def told(change, what, given) -> tuple:
    """The place that is named, what was there and what is there."""
    with pytest.raises(CheckFailed) as caught, expect.untouched(what, given):
        change()
    assert caught.value.remark == "changed, and must not be"
    return caught.value.what, caught.value.expected, caught.value.actual


@torch.no_grad()
def fill(tensor):
    tensor.fill_(7)


MODEL_CHANGES = {
    "fc.weight": lambda m: fill(m.fc.weight),
    "fc.weight: requires_grad": lambda m: m.fc.weight.requires_grad_(False),
    "norm.bias: .grad": lambda m: m.norm.bias.backward(torch.ones(2)),
    "norm: training": lambda m: m.norm.eval(),
    "training": lambda m: m.eval(),
    "norm.running_mean": lambda m: m(torch.ones(4, 3)),
    "fc": lambda m: setattr(m, "fc", nn.Linear(3, 2)),
    "fc.weight: the Parameter": lambda m: setattr(m.fc, "weight", nn.Parameter(m.fc.weight.detach().clone())),
    "tied: hooks": lambda m: m.tied.register_forward_hook(lambda *_: None),
    "more": lambda m: m.register_module("more", nn.Identity()),
    "norm.bias": lambda m: m.norm.double(),
}


@pytest.mark.parametrize("place", MODEL_CHANGES)
def test_a_change_of_a_model_is_named(place):
    model = Net()
    change = MODEL_CHANGES[place]
    if place == "norm.bias":
        model.norm.weight = None  # So that the bias is the first whose dtype changes.
    assert told(lambda: change(model), "the model", model)[0] == f"the model: {place}"


def test_what_was_and_what_is_are_both_said():
    model = Net()
    _, before, after = told(lambda: model.fc.weight.requires_grad_(False), "the model", model)
    assert (before, after) == (True, False)
    _, before, after = told(lambda: setattr(model, "fc", nn.Linear(3, 2)), "the model", model)
    assert (before, after) == ("the same object", "another object")


def test_an_old_gradient_that_is_cleared_is_a_change():
    model = Net()
    model(torch.ones(4, 3)).sum().backward()
    place, before, after = told(lambda: setattr(model.norm.bias, "grad", None), "the model", model)
    assert place == "the model: norm.bias: .grad" and after is None and torch.equal(before, torch.full((2,), 4.0))


def stepped():
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


OPTIMIZER_CHANGES = {
    "group 0: lr": lambda m, o: o.param_groups[0].update(lr=0.2),
    "group 0: betas[1]": lambda m, o: o.param_groups[0].update(betas=(0.9, 0.9)),
    "group 0: parameter 0: state: step": lambda m, o: fill(o.state[m.fc.weight]["step"]),
    "group 0: parameters": lambda m, o: o.param_groups[0]["params"].pop(),
    "the number of groups": lambda m, o: o.add_param_group({"params": [nn.Parameter(torch.ones(1))]}),
    "group 0: parameter 0: state: keys": lambda m, o: o.state[m.fc.weight].clear(),
}


@pytest.mark.parametrize("place", OPTIMIZER_CHANGES)
def test_a_change_of_an_optimizer_is_named(place):
    model, optimizer = stepped()
    change = OPTIMIZER_CHANGES[place]
    assert told(lambda: change(model, optimizer), "the optimizer", optimizer)[0] == f"the optimizer: {place}"


TOKENIZER_CHANGES = {
    "padding_side": lambda t: setattr(t, "padding_side", "left"),
    "truncation_side": lambda t: setattr(t, "truncation_side", "left"),
    "model_max_length": lambda t: setattr(t, "model_max_length", 9),
    "chat_template": lambda t: setattr(t, "chat_template", "{{ messages }}"),
    "special_tokens_map": lambda t: t.add_special_tokens({"cls_token": "[CLS]"}),
    "number of tokens": lambda t: t.add_tokens(["zyzzyva"]),
    "post_processor": lambda t: setattr(t, "add_bos_token", False),
}


@pytest.mark.parametrize("place", TOKENIZER_CHANGES)
def test_a_change_of_a_tokenizer_is_named(place):
    tokenizer = tiny.chat_tokenizer()
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    named = told(lambda: TOKENIZER_CHANGES[place](tokenizer), "the tokenizer", tokenizer)[0]
    assert named.startswith(f"the tokenizer: {place}")


def test_to_call_a_tokenizer_changes_nothing_of_it():
    tokenizer = tiny.chat_tokenizer()
    with expect.untouched("the tokenizer", tokenizer):
        tokenizer(["a", "b c"], padding=True, truncation=True, max_length=2)


@dataclass
class Config:
    sizes: list


PLAIN = {
    "[1]": ([1, 2], lambda v: v.__setitem__(1, 3)),
    "length": ([1], lambda v: v.append(2)),
    "a[0]: b": ({"a": [{"b": 1}]}, lambda v: v["a"][0].update(b=2)),
    "keys": ({"a": 1, "b": 2}, lambda v: v.update(a=v.pop("a"))),
    "a": ({"a": 1}, lambda v: v.update(a=True)),
    "x": (SimpleNamespace(x=1), lambda v: setattr(v, "x", 2)),
    "sizes[0]": (Config([1]), lambda v: v.sizes.__setitem__(0, 2)),
    "[0]": (TensorDataset(torch.zeros(2)), lambda v: fill(v.tensors[0])),
    "state": (random.Random(0), lambda v: v.random()),
    "state: state: state": (np.random.default_rng(0), lambda v: v.random()),
    "[0] ": ([np.zeros(2)], lambda v: v[0].fill(1)),
    "[0]  ": ([{1}], lambda v: v[0].add(2)),
    "[0]   ": ([print], lambda v: v.__setitem__(0, max)),
}


@pytest.mark.parametrize("place", PLAIN)
def test_a_change_of_plain_data_is_named(place):
    given, change = PLAIN[place]
    named = told(lambda: change(given), "it", given)[0]
    assert named == f"it: {place.strip()}"


def test_what_has_a_state_is_compared_by_it():
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    assert told(lambda: scaler.load_state_dict(scaler.state_dict() | {"scale": 2.0}), "it", scaler)[0] == "it: scale"


def test_a_generator_that_is_drawn_from_is_changed():
    generator = torch.Generator().manual_seed(0)
    assert told(lambda: torch.rand(1, generator=generator), "the generator", generator)[0] == "the generator: state"


def test_a_folder_is_changed_by_a_byte_or_a_file(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    assert told(lambda: (tmp_path / "a.txt").write_text("b"), "the folder", tmp_path)[0] == "the folder: a.txt"
    assert told(lambda: (tmp_path / "b.txt").write_text("b"), "the folder", tmp_path)[0] == "the folder: files"


def test_what_is_left_alone_passes():
    model, optimizer = stepped()
    given = {"model": model, "optimizer": optimizer, "batch": [torch.tensor([1.0, torch.nan]), torch.tensor([1, 2])]}
    with expect.untouched("what was given", given):
        model.eval()
        model(torch.ones(4, 3))
        model.train()


def test_what_has_no_copy_is_an_error_of_the_check():
    with pytest.raises(TypeError, match="knows no copy of a generator"):
        expect.untouched("it", [iter([1]) and (x for x in [1])])


# What comes first at the end of the block.


def test_a_change_comes_before_an_expectation_that_failed_in_the_block():
    x = torch.ones(2)
    with pytest.raises(CheckFailed, match="^x: "), expect.untouched("x", [x]):
        x.zero_()
        expect.equal(1, 2, what="a number")
    with pytest.raises(CheckFailed, match="^a number: "), expect.untouched("x", [x]):
        expect.equal(1, 2, what="a number")


def test_an_expected_error_is_looked_behind_and_then_goes_on():
    x = torch.ones(2)
    with pytest.raises(CheckFailed, match="^x: "), expect.untouched("x", [x], errors=ValueError):
        x.zero_()
        raise ValueError
    with pytest.raises(ValueError), expect.untouched("x", [x], errors=(KeyError, ValueError)):
        raise ValueError


def test_a_crash_of_the_answer_is_told_as_itself():
    x = torch.ones(2)
    with pytest.raises(ZeroDivisionError), expect.untouched("x", [x]):
        x.zero_()
        raise ZeroDivisionError


def test_it_can_be_compared_at_any_time():
    x = [1]
    watched = expect.untouched("x", x)
    watched.compare()
    x.append(2)
    with pytest.raises(CheckFailed, match="^x: length"):
        watched.compare()
