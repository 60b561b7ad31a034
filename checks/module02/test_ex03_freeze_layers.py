"""2.03: which parts of a tiny BERT are frozen, by name; how many numbers train, by the sizes of its matrices."""

import torch
from torch import nn

from tunelings import expect
from tunelings.handson import tiny
from tunelings.inputs import randint, seed

VOCAB, HIDDEN, INNER, POSITIONS, LABELS = 23, 8, 12, 11, 3
IN_EMBEDDINGS = (VOCAB + POSITIONS + 2) * HIDDEN + 2 * HIDDEN  # three tables and a LayerNorm
IN_LAYER = 4 * (HIDDEN + 1) * HIDDEN + (HIDDEN + 1) * INNER + (INNER + 1) * HIDDEN + 2 * 2 * HIDDEN
IN_POOLER = (HIDDEN + 1) * HIDDEN
IN_CLASSIFIER = (HIDDEN + 1) * LABELS


def tiny_bert(n_layers):
    return tiny.bert(seed(), n_layers, hidden=HIDDEN, labels=LABELS, vocabulary=VOCAB, positions=POSITIONS)


def parts(model):
    """The parts of the model, from the input to the output."""
    layers = {f"layer {i}": layer for i, layer in enumerate(model.bert.encoder.layer)}
    return {"embeddings": model.bert.embeddings, **layers, "pooler": model.bert.pooler, "head": model.classifier}


def frozen_parts(model):
    """The names of the parts that do not train; of one that trains in part, with the number that does not."""
    found = []
    for name, part in parts(model).items():
        frozen = sum(p.numel() for p in part.parameters() if not p.requires_grad)
        total = sum(p.numel() for p in part.parameters())
        if frozen:
            found.append(name if frozen == total else f"{name} ({frozen} of {total})")
    return found


def note_what_else_was_set(model):
    """The modes, and the modules on which an attribute `requires_grad` was set: neither freezes anything."""
    expect.note("in_eval_mode", [name for name, part in parts(model).items() if not part.training])
    expect.note("attributes", sum("requires_grad" in vars(module) for module in model.modules()))


def test_the_embeddings_and_the_first_layers_are_frozen(answer):
    model = tiny_bert(5).train()
    answer.freeze_layers(model, 2)
    note_what_else_was_set(model)
    expected = ["embeddings", "layer 0", "layer 1"]
    expect.equal(frozen_parts(model), expected, what="what is frozen of a BERT with 5 layers, n_layers 2")


def test_none_or_all_of_the_layers_may_be_frozen(answer):
    for n_layers in (0, 1, 3, 4):
        model = tiny_bert(4)
        answer.freeze_layers(model, n_layers)
        expected = ["embeddings", "layer 0", "layer 1", "layer 2", "layer 3"][: n_layers + 1]
        what = f"what is frozen of a BERT with 4 layers, n_layers {n_layers}"
        expect.equal(frozen_parts(model), expected, what=what)


def test_layer_1_is_not_taken_for_layer_10(answer):
    model = tiny_bert(12)
    answer.freeze_layers(model, 2)
    expected = ["embeddings", "layer 0", "layer 1"]
    expect.equal(frozen_parts(model), expected, what="what is frozen of a BERT with 12 layers, n_layers 2")
    model = tiny_bert(12)
    answer.freeze_layers(model, 11)
    trained = [name for name in parts(model) if name not in frozen_parts(model)]
    expect.equal(trained, ["layer 11", "pooler", "head"], what="what trains of a BERT with 12 layers, n_layers 11")


def test_the_number_of_trained_numbers_is_returned(answer):
    for n_layers in (2, 0, 4):
        model = tiny_bert(4)
        count = answer.freeze_layers(model, n_layers)
        expected = (4 - n_layers) * IN_LAYER + IN_POOLER + IN_CLASSIFIER
        expect.equal(count, expected, what=f"how many numbers train, n_layers {n_layers} of 4")


def test_the_second_call_decides(answer):
    model = tiny_bert(4)
    answer.freeze_layers(model, 4)
    count = answer.freeze_layers(model, 1)
    expect.equal(frozen_parts(model), ["embeddings", "layer 0"], what="what is frozen, n_layers 4 and then 1")
    expect.equal(count, 3 * IN_LAYER + IN_POOLER + IN_CLASSIFIER, what="how many numbers train after 4 and then 1")
    answer.freeze_layers(model, 3)
    expected = ["embeddings", "layer 0", "layer 1", "layer 2"]
    expect.equal(frozen_parts(model), expected, what="what is frozen, n_layers 4, then 1, then 3")


def test_what_came_in_frozen_does_not_stay_so(answer):
    for n_layers in (0, 3):
        model = tiny_bert(3).requires_grad_(False)
        answer.freeze_layers(model, n_layers)
        expected = ["embeddings", "layer 0", "layer 1", "layer 2"][: n_layers + 1]
        expect.equal(frozen_parts(model), expected, what=f"what is frozen, of a frozen BERT with n_layers {n_layers}")


def test_a_head_of_another_make_trains_too(answer):
    model = tiny_bert(3)
    model.classifier = nn.Sequential(nn.Linear(HIDDEN, 5), nn.LayerNorm(5), nn.Linear(5, LABELS))
    model.log_scale = nn.Parameter(torch.zeros(7))
    model.requires_grad_(False)
    count = answer.freeze_layers(model, 2)
    expected = ["embeddings", "layer 0", "layer 1"]
    expect.equal(frozen_parts(model), expected, what="what is frozen, head of three modules")
    frozen = [name for name, p in model.named_parameters() if "." not in name and not p.requires_grad]
    expect.equal(frozen, [], what="what is frozen of a parameter added to the model itself")
    in_head = 9 * 5 + 2 * 5 + 6 * LABELS + 7
    expect.equal(count, IN_LAYER + IN_POOLER + in_head, what="how many numbers train, head of three modules")


def test_training_moves_what_is_not_frozen_and_nothing_else(answer):
    model = tiny_bert(3)
    answer.freeze_layers(model, 2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.7)
    tokens = randint(0, VOCAB, (5, 7), offset=1)
    model(input_ids=tokens, labels=randint(0, LABELS, [5], offset=2)).loss.backward()
    optimizer.step()
    moved = [
        name
        for name, part in parts(model).items()
        if any(not torch.equal(p, before[full]) for full, p in model.named_parameters() if is_in(p, part))
    ]
    expect.equal(moved, ["layer 2", "pooler", "head"], what="what one step of SGD moves, n_layers 2 of 3")


def is_in(parameter, part):
    return any(parameter is p for p in part.parameters())


def test_nothing_but_requires_grad_is_changed(answer):
    model = tiny_bert(3).train()
    model.bert.encoder.layer[0].eval()
    model.classifier.eval()
    held, modes = dict(model.named_parameters()), [name for name, m in model.named_modules() if m.training]
    with expect.unchanged("values", model.state_dict()):
        answer.freeze_layers(model, 1)
    now = [name for name, m in model.named_modules() if m.training]
    different = sorted(set(now) ^ set(modes))
    expect.equal(different, [], what="the modules whose mode was changed")
    other = [name for name, p in model.named_parameters() if p is not held.get(name)]
    expect.equal(other, [], what="the parameters that are another object than before")


def test_a_number_of_layers_out_of_range_is_refused_and_changes_nothing(answer):
    for n_layers in (4, -1, -2, 17):
        model = tiny_bert(3)
        model.bert.encoder.layer[1].requires_grad_(False)
        model.bert.pooler.requires_grad_(False)
        expect.raises(
            ValueError,
            lambda model=model, n_layers=n_layers: answer.freeze_layers(model, n_layers),
            what=f"n_layers {n_layers} for a BERT with 3 layers",
            mentions=[n_layers],
        )
        expect.equal(frozen_parts(model), ["layer 1", "pooler"], what=f"what is frozen after n_layers {n_layers} of 3")
