"""2.03: which parts of a tiny BERT are frozen, by name; how many numbers train, by the sizes of its matrices."""

import torch
from torch import nn

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward import language_models, models
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


def freeze(answer, model, n_layers):
    """The count that the answer returns; the model must be what it was, `requires_grad` apart."""
    held, modes = dict(model.named_parameters()), modes_of(model)
    with expect.unchanged("the values", {**held, **dict(model.named_buffers())}):
        count = accepted(answer, model, n_layers)
    other = [name for name, p in model.named_parameters() if p is not held.get(name)]
    expect.equal(other, [], what="the parameters that were replaced by another object")
    switched = [name or "the model" for name, mode in modes_of(model).items() if mode != modes.get(name)]
    expect.note("attributes", sum("requires_grad" in vars(module) for module in model.modules()))
    expect.note("frozen", frozen_parts(model))
    expect.equal(switched, [], what="the modules whose mode was changed")
    return count


def accepted(answer, model, n_layers):
    """What the answer returns for a number of layers that it must accept."""
    try:
        return answer.freeze_layers(model, n_layers)
    except ValueError:
        what = f"n_layers {n_layers} for a BERT with {len(model.bert.encoder.layer)} layers"
        raise expect.CheckFailed(what, "it is accepted", "a ValueError") from None


def refusal(answer, model, n_layers):
    """The kind of the error that the answer raises, or what it returns."""
    try:
        return f"no error, and {answer.freeze_layers(model, n_layers)} is returned"
    except NotImplementedError:
        raise  # A TODO that is left.
    except Exception as error:
        return type(error).__name__


def modes_of(model):
    return {name: module.training for name, module in model.named_modules()}


def attributes_of(model):
    return {f"{name or 'the model'}: {held}" for name, module in model.named_modules() for held in vars(module)}


def test_the_embeddings_and_the_first_layers_are_frozen(answer):
    model = tiny_bert(5).train()
    freeze(answer, model, 2)
    expected = ["embeddings", "layer 0", "layer 1"]
    expect.equal(frozen_parts(model), expected, what="what is frozen of a BERT with 5 layers, n_layers 2")


def test_none_or_all_of_the_layers_may_be_frozen(answer):
    for n_layers in (0, 1, 3, 4):
        model = tiny_bert(4)
        freeze(answer, model, n_layers)
        expected = ["embeddings", "layer 0", "layer 1", "layer 2", "layer 3"][: n_layers + 1]
        what = f"what is frozen of a BERT with 4 layers, n_layers {n_layers}"
        expect.equal(frozen_parts(model), expected, what=what)


def test_layer_1_is_not_taken_for_layer_10(answer):
    model = tiny_bert(12)
    freeze(answer, model, 2)
    expected = ["embeddings", "layer 0", "layer 1"]
    expect.equal(frozen_parts(model), expected, what="what is frozen of a BERT with 12 layers, n_layers 2")
    model = tiny_bert(12)
    freeze(answer, model, 11)
    trained = [name for name in parts(model) if name not in frozen_parts(model)]
    expect.equal(trained, ["layer 11", "pooler", "head"], what="what trains of a BERT with 12 layers, n_layers 11")


def test_the_number_of_trained_numbers_is_returned(answer):
    for n_layers in (2, 0, 4):
        model = tiny_bert(4)
        count = freeze(answer, model, n_layers)
        expected = (4 - n_layers) * IN_LAYER + IN_POOLER + IN_CLASSIFIER
        expect.equal(count, expected, what=f"how many numbers train, n_layers {n_layers} of 4")
        expect.equal(type(count).__name__, "int", what="the type of the returned count")
    model = tiny_bert(2)
    model.classifier = nn.Linear(model.classifier.in_features, 1)  # Its bias is one number.
    count, expected = freeze(answer, model, 2), IN_POOLER + model.classifier.in_features + 1
    expect.equal(count, expected, what="how many numbers train of a model with one label, n_layers 2 of 2")


def test_the_second_call_decides(answer):
    model = tiny_bert(4)
    freeze(answer, model, 4)
    count = freeze(answer, model, 1)
    expect.equal(frozen_parts(model), ["embeddings", "layer 0"], what="what is frozen, n_layers 4 and then 1")
    expect.equal(count, 3 * IN_LAYER + IN_POOLER + IN_CLASSIFIER, what="how many numbers train after 4 and then 1")
    freeze(answer, model, 4)
    expected = ["embeddings", "layer 0", "layer 1", "layer 2", "layer 3"]
    expect.equal(frozen_parts(model), expected, what="what is frozen, n_layers 4, then 1, then 4 again")


def test_what_came_in_frozen_does_not_stay_so(answer):
    for n_layers in (0, 3):
        model = tiny_bert(3).requires_grad_(False)
        freeze(answer, model, n_layers)
        expected = ["embeddings", "layer 0", "layer 1", "layer 2"][: n_layers + 1]
        expect.equal(frozen_parts(model), expected, what=f"what is frozen, of a frozen BERT with n_layers {n_layers}")


def test_every_kind_of_parameter_in_a_frozen_part_is_frozen(answer):
    model = tiny_bert(3)
    model.bert.embeddings.scale = nn.Parameter(torch.ones(HIDDEN))
    model.bert.embeddings.LayerNorm.shift = nn.Parameter(torch.ones(2))
    model.bert.encoder.layer[0].gate = nn.Parameter(torch.ones(5))
    model.bert.encoder.layer[0].output.gain = nn.Parameter(torch.ones(3))
    model.bert.encoder.layer[1].attention.adapter = nn.Conv1d(HIDDEN, 2, 1)
    count = freeze(answer, model, 2)
    what = "what is frozen, with `embeddings.scale`, a Conv1d and others added"
    expect.equal(frozen_parts(model), ["embeddings", "layer 0", "layer 1"], what=what)
    expect.equal(count, IN_LAYER + IN_POOLER + IN_CLASSIFIER, what="how many numbers train, three parts added")


def test_all_that_is_in_no_frozen_part_trains(answer):
    model = language_models.with_added_parts(tiny_bert(3), HIDDEN)
    model.classifier = nn.ModuleDict({"layer": nn.ModuleList([nn.Linear(HIDDEN, 5), nn.LayerNorm(5)])})
    model.bert.projection = nn.Linear(HIDDEN, 4, bias=False)
    model.bert.encoder.norm = nn.LayerNorm(HIDDEN)
    model.bert.embeddings_projection = nn.Linear(HIDDEN, HIDDEN, bias=False)
    model.bert.encoder.layer[2].adapter = nn.ModuleDict({"layer": nn.ModuleList([nn.Linear(HIDDEN, 6, bias=False)])})
    model.draft = language_models.another_encoder(HIDDEN)
    model.teacher = nn.ModuleDict({"bert": language_models.another_encoder(HIDDEN)})
    model.window, model.temperature = nn.Conv1d(HIDDEN, 2, 3, bias=False), nn.Parameter(torch.tensor(0.7))
    model.requires_grad_(False)
    count = freeze(answer, model, 2)
    fixed = {id(p) for part in [model.bert.embeddings, *model.bert.encoder.layer[:2]] for p in part.parameters()}
    frozen = [name for name, p in model.named_parameters() if not p.requires_grad and id(p) not in fixed]
    expect.equal(frozen, [], what="what is frozen of layer 2, the head and all that was added")
    expect.equal(frozen_parts(model), ["embeddings", "layer 0", "layer 1"], what="what is frozen, with added parts")
    in_head = (HIDDEN + 1) * 5 + 2 * 5
    added = 3 * HIDDEN + (HIDDEN + 1) * HIDDEN + HIDDEN + 4 * HIDDEN + 2 * HIDDEN
    added += HIDDEN * HIDDEN + 6 * HIDDEN + 2 * HIDDEN * HIDDEN + 6 * HIDDEN + 1
    expected = IN_LAYER + IN_POOLER + in_head + added
    expect.equal(count, expected, what="how many numbers train, with added parts")


def test_the_layers_are_counted_in_the_model_and_not_in_its_config(answer):
    model = language_models.cut_short(tiny_bert(4), 2)
    freeze(answer, model, 2)
    what = "what is frozen of a BERT cut to 2 layers (its config says 4), n_layers 2"
    expect.equal(frozen_parts(model), ["embeddings", "layer 0", "layer 1"], what=what)
    what = "n_layers 3 for a BERT cut to 2 layers (its config says 4)"
    expect.equal(refusal(answer, model, 3), "ValueError", what=what)
    model = language_models.cut_short(tiny_bert(2), 0)
    freeze(answer, model, 0)
    what = "what is frozen of a BERT cut to 0 layers (its config says 2), n_layers 0"
    expect.equal(frozen_parts(model), ["embeddings"], what=what)
    what = "n_layers 1 for a BERT cut to 0 layers (its config says 2)"
    expect.equal(refusal(answer, model, 1), "ValueError", what=what)


def test_training_moves_what_is_not_frozen_and_nothing_else(answer):
    model = tiny_bert(3)
    freeze(answer, model, 2)
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
    for part in (*model.bert.encoder.layer[:2], model.classifier):
        part.eval()
    models.leave_old_gradients(model)
    settings, attributes = model.config.to_dict(), attributes_of(model)
    freeze(answer, model, 1)
    changed = [name for name, p in model.named_parameters() if p.grad is None or not bool((p.grad == 1).all())]
    expect.equal(changed, [], what="the parameters whose `.grad` was changed")
    now = model.config.to_dict()
    changed = sorted(key for key in settings.keys() | now.keys() if settings.get(key) != now.get(key))
    expect.equal(changed, [], what="the settings in `model.config` that were changed")
    expect.equal(sorted(attributes_of(model) - attributes), [], what="the attributes that the modules have got")


def test_a_number_of_layers_out_of_range_is_refused_and_changes_nothing(answer):
    given, refused = [], []
    for n_layers in (4, -1, -2, 17):
        model = tiny_bert(3)
        model.bert.encoder.layer[1].requires_grad_(False)
        model.bert.pooler.requires_grad_(False)
        model.bert.encoder.layer[0].eval()
        given.append(expect.untouched(f"a BERT with 3 layers after n_layers {n_layers}", model))
        refused.append(refusal(answer, model, n_layers))
    what = "what freeze_layers does with n_layers 4, -1, -2 and 17 for a BERT with 3 layers"
    expect.equal(refused, ["ValueError"] * 4, what=what)
    for model in given:
        model.compare()


def test_the_message_of_a_refusal_holds_the_value(answer):
    lacking = []
    for n_layers in (17, -23):
        try:
            answer.freeze_layers(tiny_bert(3), n_layers)
        except ValueError as error:
            lacking += [n_layers] if str(n_layers) not in str(error) else []
    expect.equal(lacking, [], what="the refused values, of 17 and -23, that the message lacks")


def test_a_weight_that_modules_share_counts_once(answer):
    model = tiny_bert(3)
    model.decoder = nn.Linear(HIDDEN, VOCAB, bias=False)
    model.decoder.weight = model.bert.embeddings.word_embeddings.weight
    layers = model.bert.encoder.layer
    layers[2].intermediate.dense.weight = layers[1].intermediate.dense.weight
    model.probe = nn.Linear(HIDDEN, INNER, bias=False)
    model.probe.weight = layers[0].intermediate.dense.weight
    count = freeze(answer, model, 1)
    what = "what is frozen, n_layers 1, added parts share two weights"
    expect.equal(frozen_parts(model), ["embeddings", "layer 0"], what=what)
    expected = 2 * IN_LAYER - HIDDEN * INNER + IN_POOLER + IN_CLASSIFIER
    expect.equal(count, expected, what="how many numbers train, layers 1 and 2 sharing a weight")


def test_a_weight_that_frozen_layers_share_leaves_the_count_once(answer):
    model = tiny_bert(4)
    layers = model.bert.encoder.layer
    layers[1].output.dense.weight = layers[0].output.dense.weight
    count = freeze(answer, model, 2)
    what = "how many numbers train, n_layers 2 of 4, layers 0 and 1 sharing a weight"
    expect.equal(count, 2 * IN_LAYER + IN_POOLER + IN_CLASSIFIER, what=what)
