"""2.04: the rate and the decay that each parameter of a tiny BERT ends up with, whatever the groups are.

-1 stands for a parameter that is in no group.
"""

import torch
from torch import nn

from tunelings import expect
from tunelings.handson import tiny
from tunelings.inputs import randn, seed

LR, LAYER_DECAY, WEIGHT_DECAY = 0.3, 0.7, 0.04
HIDDEN, VOCAB, LABELS = 8, 23, 3


def tiny_bert(n_layers):
    return tiny.bert(seed(), n_layers, hidden=HIDDEN, labels=LABELS, vocabulary=VOCAB).double()


def checked(groups):
    """The groups, with their parameters as lists; they must be a list of dicts with the three keys."""
    is_list = isinstance(groups, list | tuple) and all(isinstance(group, dict) for group in groups)
    expect.true(is_list, what="the returned groups", actual=groups, expected="a list of dicts")
    for group in groups:
        missing = [key for key in ("params", "lr", "weight_decay") if key not in group]
        expect.equal(missing, [], what="the keys that a group lacks")
    return [{**group, "params": as_list(group["params"])} for group in groups]


def as_list(params):
    """As AdamW takes them: one tensor, or any iterable of tensors or of names with tensors."""
    params = [params] if isinstance(params, torch.Tensor) else list(params)
    return [param[1] if isinstance(param, tuple) else param for param in params]


def setting(groups, key, parameter):
    """What the first group that holds this parameter has under `key`; -1 where none does."""
    return next((float(g[key]) for g in groups if any(p is parameter for p in g["params"])), -1.0)


def parts(model):
    """The parts of the model, from the input to the output."""
    return [model.bert.embeddings, *model.bert.encoder.layer, model.bert.pooler, model.classifier]


def expected_rates(n_layers, lr, layer_decay):
    """Of each part, from the input to the output: multiplied once for each step down from the head."""
    rates = [lr, lr]
    for _ in range(n_layers + 1):
        rates.insert(0, rates[0] * layer_decay)
    return rates


def rates_of(groups, model):
    """Of each part, the rate of its first parameter."""
    return [setting(groups, "lr", next(part.parameters())) for part in parts(model)]


def decays_of(groups, parameters):
    return [setting(groups, "weight_decay", parameter) for parameter in parameters]


def test_the_rate_falls_from_the_head_down(answer):
    model = tiny_bert(4)
    groups = checked(answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY))
    rates = expected_rates(4, LR, LAYER_DECAY)
    what = "the rates of embeddings, layers 0 to 3, pooler, classifier"
    expect.close(rates_of(groups, model), rates, what=what)
    for part, rate in zip(parts(model), rates, strict=True):
        for parameter in part.parameters():
            expect.close(setting(groups, "lr", parameter), rate, what="the rate of a parameter, and that of its part")


def test_another_depth_and_other_numbers_give_other_rates(answer):
    for n_layers, lr, layer_decay in ((1, 0.02, 0.35), (3, 5.0, 0.95), (2, 0.6, 1.0)):
        model = tiny_bert(n_layers)
        groups = checked(answer.parameter_groups(model, lr=lr, layer_decay=layer_decay, weight_decay=0.5))
        expected = expected_rates(n_layers, lr, layer_decay)
        what = f"the rates of a BERT with {n_layers} layers, lr {lr} and layer_decay {layer_decay}"
        expect.close(rates_of(groups, model), expected, what=what)


def test_layer_1_is_not_taken_for_layer_10(answer):
    model = tiny_bert(12)
    groups = checked(answer.parameter_groups(model, lr=LR, layer_decay=0.9, weight_decay=WEIGHT_DECAY))
    rates = expected_rates(12, LR, 0.9)
    expect.close(rates_of(groups, model), rates, what="the rates of the parts of a BERT with 12 layers")


def test_weights_decay_and_biases_and_layernorms_do_not(answer):
    model = tiny_bert(3)
    groups = checked(answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY))
    dense, norm = model.bert.encoder.layer[1].output.dense, model.bert.encoder.layer[1].output.LayerNorm
    decays = decays_of(groups, [dense.weight, dense.bias, norm.weight, norm.bias])
    what = "the decays of a weight, its bias, a LayerNorm's weight and its bias"
    expect.close(decays, [WEIGHT_DECAY, 0.0, 0.0, 0.0], what=what)
    embeddings = model.bert.embeddings
    tables = [embeddings.word_embeddings, embeddings.position_embeddings, embeddings.token_type_embeddings]
    decays = decays_of(groups, [*(table.weight for table in tables), *embeddings.LayerNorm.parameters()])
    what = "the decays of the three tables, and of weight and bias of their LayerNorm"
    expect.close(decays, [WEIGHT_DECAY] * 3 + [0.0] * 2, what=what)
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    decays = [decay for module in linear for decay in decays_of(groups, [module.weight, module.bias])]
    what = "the decays of weight and bias of every linear layer, from below"
    expect.close(decays, [WEIGHT_DECAY, 0.0] * len(linear), what=what)


def test_names_that_only_look_like_bias_or_norm_decay(answer):
    model = tiny_bert(2)
    model.debias = nn.Linear(HIDDEN, 5, bias=False)
    model.LayerNorm_free = nn.Linear(5, HIDDEN, bias=False)
    model.bias_table = nn.Parameter(torch.zeros(4, 5))
    model.log_scale = nn.Parameter(torch.zeros(7))
    added = [model.debias.weight, model.LayerNorm_free.weight, model.bias_table, model.log_scale]
    groups = checked(answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY))
    what = "the decays of debias.weight, LayerNorm_free.weight, bias_table, log_scale"
    expect.close(decays_of(groups, added), [WEIGHT_DECAY] * 4, what=what)
    expect.close([setting(groups, "lr", p) for p in added], [LR] * 4, what="the rates of four added parameters")


def test_a_layernorm_by_another_name_does_not_decay(answer):
    model = tiny_bert(2)
    model.classifier = nn.Sequential(nn.Linear(HIDDEN, 5), nn.LayerNorm(5), nn.Linear(5, LABELS))
    model.bert.encoder.layer[1].scale = nn.LayerNorm(HIDDEN, bias=False)
    watched = [*model.classifier.parameters(), model.bert.encoder.layer[1].scale.weight]
    groups = checked(answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY))
    expected = [WEIGHT_DECAY, 0.0, 0.0, 0.0, WEIGHT_DECAY, 0.0, 0.0]
    what = "the decays of Linear, LayerNorm, Linear (weight, bias each) and of one more LayerNorm"
    expect.close(decays_of(groups, watched), expected, what=what)
    expected = [LR] * 6 + [LR * LAYER_DECAY]
    expect.close([setting(groups, "lr", p) for p in watched], expected, what="the rates of the same seven")


def test_each_parameter_that_trains_is_in_one_group_and_no_other_is(answer):
    model = tiny_bert(3)
    model.bert.embeddings.requires_grad_(False)
    model.bert.encoder.layer[0].requires_grad_(False)
    model.bert.encoder.layer[2].output.dense.bias.requires_grad_(False)
    groups = checked(answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY))
    held = [id(p) for group in groups for p in group["params"]]
    frozen = [name for name, p in model.named_parameters() if not p.requires_grad and id(p) in held]
    expect.equal(frozen, [], what="the frozen parameters in a group")
    missing = [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in held]
    expect.equal(missing, [], what="the parameters that train and are in no group")
    repeated = [name for name, p in model.named_parameters() if held.count(id(p)) > 1]
    expect.equal(repeated, [], what="the parameters that are in groups more than once")
    expected = expected_rates(3, LR, LAYER_DECAY)[2:]
    expect.close(rates_of(groups, model)[2:], expected, what="the rates of what is above the frozen layer 0")


def test_a_shared_parameter_is_in_the_group_of_its_first_occurrence(answer):
    model = tiny_bert(3)
    layers = model.bert.encoder.layer
    layers[2].intermediate.dense.weight = layers[0].intermediate.dense.weight
    model.decoder = nn.Linear(HIDDEN, VOCAB, bias=False)
    model.decoder.weight = model.bert.embeddings.word_embeddings.weight
    layers[1].output.LayerNorm = layers[0].output.LayerNorm
    shared = [layers[0].intermediate.dense.weight, model.decoder.weight, layers[0].output.LayerNorm.weight]
    groups = checked(answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY))
    times = [sum(p is parameter for group in groups for p in group["params"]) for parameter in shared]
    expect.equal(times, [1, 1, 1], what="how many times three shared parameters are in a group")
    rates = expected_rates(3, LR, LAYER_DECAY)
    expected = [rates[1], rates[0], rates[1]]
    what = "the rates of what layers 0 and 2, embeddings and head, layers 0 and 1 share"
    expect.close([setting(groups, "lr", p) for p in shared], expected, what=what)
    what = "the decays of two shared weights and of a shared LayerNorm's weight"
    expect.close(decays_of(groups, shared), [WEIGHT_DECAY, WEIGHT_DECAY, 0.0], what=what)


def test_adamw_takes_the_groups_as_they_are(answer):
    model = tiny_bert(2)
    groups = answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY)
    optimizer = torch.optim.AdamW(groups, lr=70.0, weight_decay=80.0)
    layer, head = model.bert.encoder.layer[0].output, model.classifier
    watched = [head.weight, head.bias, layer.dense.weight, layer.LayerNorm.weight]
    rate = expected_rates(2, LR, LAYER_DECAY)[1]
    kept = [1 - LR * WEIGHT_DECAY, 1, 1 - rate * WEIGHT_DECAY, 1]
    expected = []
    for i, (parameter, rate_here) in enumerate(zip(watched, [LR, LR, rate, rate], strict=True)):
        with torch.no_grad():
            parameter.copy_(randn(*parameter.shape, offset=10 + i))
        parameter.grad = randn(*parameter.shape, offset=20 + i)
        # AdamW's first step: its moments, corrected, are the gradient and its square; eps is 1e-8.
        after = kept[i] * parameter.detach() - rate_here * parameter.grad / (parameter.grad.abs() + 1e-8)
        expected.append(after.flatten()[0])
    optimizer.step()
    moved = torch.stack([parameter.detach().flatten()[0] for parameter in watched])
    what = "head weight, head bias, a weight and a LayerNorm of layer 0 after a step"
    expect.close(moved, torch.stack(expected), what=what, terms=1000, scale=4.0)


def test_the_model_is_not_changed(answer):
    model = tiny_bert(2).train()
    model.bert.pooler.eval()
    model.bert.encoder.layer[0].requires_grad_(False)
    flags = {name: p.requires_grad for name, p in model.named_parameters()}
    modes = {name: module.training for name, module in model.named_modules()}
    with expect.unchanged("values", model.state_dict()):
        answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY)
    changed = [name for name, p in model.named_parameters() if p.requires_grad != flags.get(name)]
    expect.equal(changed, [], what="the parameters whose requires_grad was changed")
    changed = [name for name, module in model.named_modules() if module.training != modes.get(name)]
    expect.equal(changed, [], what="the modules whose mode was changed")
