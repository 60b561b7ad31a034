"""2.04: the rate and the decay that each parameter of a tiny BERT ends up with, whatever the groups are.

Long: 19 checks, one promise each, on models with parts that somebody has added.
"""

import torch
from torch import nn

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward import language_models, models
from tunelings.inputs import randn, seed

LR, LAYER_DECAY, WEIGHT_DECAY = 0.3, 0.7, 0.04
HIDDEN, VOCAB, LABELS = 8, 23, 3


def tiny_bert(n_layers):
    return tiny.bert(seed(), n_layers, hidden=HIDDEN, labels=LABELS, vocabulary=VOCAB).double()


def groups_of(answer, model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY):
    """The returned groups with their parameters as lists, once they are whole and the model is as it was."""
    with expect.untouched("what was given", {"model": model}):
        groups = answer.parameter_groups(model, lr=lr, layer_decay=layer_decay, weight_decay=weight_decay)
    expect.kind(groups, list, of=dict, what="the returned groups")
    for group in groups:
        lacking = [key for key in ("params", "lr", "weight_decay") if key not in group]
        expect.equal(lacking, [], what="the keys that a group lacks")
    groups = [{**group, "params": as_list(group["params"])} for group in groups]
    held = {id(parameter): type(parameter).__name__ for group in groups for parameter in group["params"]}
    expect.note("kinds", sorted(set(held.values())))
    missing = [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in held]
    expect.equal(missing, [], what="the parameters that train and are in no group")
    strange = len(held.keys() - {id(p) for p in model.parameters()})
    expect.equal(strange, 0, what="how many tensors in the groups are no parameters of the model")
    return groups


def as_list(params):
    """As AdamW takes them: one tensor, or any iterable of tensors or of names with tensors."""
    params = [params] if isinstance(params, torch.Tensor) else list(params)
    return [param[1] if isinstance(param, tuple) else param for param in params]


def settings(groups, key, parameters):
    """What the first group that holds each parameter has under `key`."""
    return [
        next(float(group[key]) for group in groups if any(p is parameter for p in group["params"]))
        for parameter in parameters
    ]


def parts(model):
    """The parts of the model, from the input to the output."""
    bert, layers = model.bert, {f"layer {i}": layer for i, layer in enumerate(model.bert.encoder.layer)}
    return {"the embeddings": bert.embeddings, **layers, "the pooler": bert.pooler, "the head": model.classifier}


def expected_rates(n_layers, lr, layer_decay):
    """Of each part, from the input to the output: multiplied once for each step down from the head."""
    rates = [lr, lr]
    for _ in range(n_layers + 1):
        rates.insert(0, rates[0] * layer_decay)
    return rates


def rates_of(groups, model):
    """Of each part, the rate of its first parameter that trains."""
    firsts = [next(p for p in part.parameters() if p.requires_grad) for part in parts(model).values()]
    return settings(groups, "lr", firsts)


def test_the_rate_falls_from_the_head_down(answer):
    model = tiny_bert(4)
    groups = groups_of(answer, model)
    rates = expected_rates(4, LR, LAYER_DECAY)
    expect.close(rates_of(groups, model), rates, what="the rates of embeddings, layers 0 to 3, pooler, classifier")
    for (name, part), rate in zip(parts(model).items(), rates, strict=True):
        found = settings(groups, "lr", part.parameters())
        expect.close(found, [rate] * len(found), what=f"the rates of all parameters of {name}, 4 layers")


def test_another_depth_and_other_numbers_give_other_rates(answer):
    cases = ((1, 0.02, 0.35, 0.5), (3, 2e-6, 0.95, 3e-7), (3, 5.0, 0.95, 2.0), (2, 0.6, 1.0, 0.5))
    for n_layers, lr, layer_decay, weight_decay in cases:
        model = tiny_bert(n_layers)
        groups = groups_of(answer, model, lr, layer_decay, weight_decay)
        expected = expected_rates(n_layers, lr, layer_decay)
        what = f"the rates of a BERT with {n_layers} layers, lr {lr} and layer_decay {layer_decay}"
        expect.close(rates_of(groups, model), expected, what=what)
        decays = settings(groups, "weight_decay", [model.classifier.weight])
        expect.close(decays, [weight_decay], what=f"the decay of the head's weight, weight_decay {weight_decay}")


def test_layer_1_is_not_taken_for_layer_10(answer):
    model = tiny_bert(12)
    rates = expected_rates(12, LR, 0.9)
    what = "the rates of the parts of a BERT with 12 layers"
    expect.close(rates_of(groups_of(answer, model, layer_decay=0.9), model), rates, what=what)


def test_the_layers_are_counted_in_the_model_and_not_in_its_config(answer):
    model = language_models.cut_short(tiny_bert(4), 2)
    what = "the rates of a BERT cut to 2 layers (its config says 4)"
    rates = expected_rates(2, LR, LAYER_DECAY)
    expect.close(rates_of(groups_of(answer, model), model), rates, what=what)
    model = language_models.cut_short(tiny_bert(2), 0)
    what = "the rates of a BERT cut to 0 layers (its config says 2)"
    rates = expected_rates(0, LR, LAYER_DECAY)
    expect.close(rates_of(groups_of(answer, model), model), rates, what=what)


def test_weights_decay_and_biases_and_layernorms_do_not(answer):
    model = tiny_bert(3)
    groups = groups_of(answer, model)
    dense, norm = model.bert.encoder.layer[1].output.dense, model.bert.encoder.layer[1].output.LayerNorm
    decays = settings(groups, "weight_decay", [dense.weight, dense.bias, norm.weight, norm.bias])
    what = "the decays of a weight, its bias, a LayerNorm's weight and its bias"
    expect.close(decays, [WEIGHT_DECAY, 0.0, 0.0, 0.0], what=what)
    embeddings = model.bert.embeddings
    tables = [embeddings.word_embeddings, embeddings.position_embeddings, embeddings.token_type_embeddings]
    watched = [*(table.weight for table in tables), *embeddings.LayerNorm.parameters()]
    what = "the decays of the three tables, and of weight and bias of their LayerNorm"
    expect.close(settings(groups, "weight_decay", watched), [WEIGHT_DECAY] * 3 + [0.0] * 2, what=what)
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    watched = [parameter for module in linear for parameter in (module.weight, module.bias)]
    what = "the decays of weight and bias of every linear layer, from the bottom up"
    expect.close(settings(groups, "weight_decay", watched), [WEIGHT_DECAY, 0.0] * len(linear), what=what)


def test_names_that_only_look_like_bias_or_norm_decay(answer):
    model = tiny_bert(2)
    model.debias = nn.Linear(HIDDEN, 5, bias=False)
    model.LayerNorm_free = nn.Linear(5, HIDDEN, bias=False)
    model.bias_table = nn.Parameter(torch.zeros(4, 5))
    model.log_scale = nn.Parameter(torch.zeros(7))
    model.double()
    added = [model.debias.weight, model.LayerNorm_free.weight, model.bias_table, model.log_scale]
    groups = groups_of(answer, model)
    what = "the decays of debias.weight, LayerNorm_free.weight, bias_table, log_scale"
    expect.close(settings(groups, "weight_decay", added), [WEIGHT_DECAY] * 4, what=what)
    expect.close(settings(groups, "lr", added), [LR] * 4, what="the rates of four added parameters")


def test_the_place_of_an_added_part_decides_and_not_its_name(answer):
    model = language_models.with_added_parts(tiny_bert(2), HIDDEN)
    model.bert.projection = nn.Linear(HIDDEN, 4, bias=False)
    model.bert.embeddings.scale = nn.Parameter(torch.ones(HIDDEN))
    model.bert.encoder.layer[1].gate = nn.Parameter(torch.ones(5))
    model.bert.encoder.layer[1].adapter = nn.Sequential(nn.Linear(HIDDEN, HIDDEN, bias=False))
    model.draft, inner = language_models.another_encoder(HIDDEN), language_models.another_encoder(HIDDEN)
    inner["embeddings"] = nn.Embedding(3, HIDDEN)
    model.teacher = nn.ModuleDict({"bert": inner})
    groups = groups_of(answer, model)
    above = [model.extra_embeddings.weight, model.adapter["layer"][0].weight, model.scale, model.bert.projection.weight]
    above += [*model.draft.parameters(), *model.teacher.parameters()]
    parts = ["extra_embeddings", "adapter.layer.0", "scale", "bert.projection", "draft.encoder.layer.0"]
    parts += ["teacher.bert.encoder.layer.0", "teacher.bert.embeddings"]
    what = "the rates of seven added parts outside of layers and embeddings"
    expect.close(settings(groups, "lr", above), [LR] * 7, what=what, given=parts)
    layer = model.bert.encoder.layer[1]
    below = [model.bert.embeddings.scale, layer.gate, layer.adapter[0].weight]
    rates = expected_rates(2, LR, LAYER_DECAY)
    what = "the rates of embeddings.scale, layer[1].gate and layer[1].adapter[0]"
    expect.close(settings(groups, "lr", below), [rates[0], rates[2], rates[2]], what=what)
    what = "the decays of these ten parameters"
    expect.close(settings(groups, "weight_decay", above + below), [WEIGHT_DECAY] * 10, what=what)


def test_a_layernorm_by_another_name_does_not_decay(answer):
    model = tiny_bert(2)
    model.classifier = nn.Sequential(nn.Linear(HIDDEN, 5), nn.LayerNorm(5), nn.Linear(5, LABELS))
    model.bert.encoder.layer[1].scale = nn.LayerNorm(HIDDEN, bias=False)
    model.bare = nn.LayerNorm(HIDDEN, elementwise_affine=False)
    watched = [*model.classifier.parameters(), model.bert.encoder.layer[1].scale.weight]
    groups = groups_of(answer, model)
    expected = [WEIGHT_DECAY, 0.0, 0.0, 0.0, WEIGHT_DECAY, 0.0, 0.0]
    what = "the decays of Linear, LayerNorm, Linear (weight, bias each) and of one more LayerNorm"
    expect.close(settings(groups, "weight_decay", watched), expected, what=what)
    expected = [LR] * 6 + [LR * LAYER_DECAY]
    expect.close(settings(groups, "lr", watched), expected, what="the rates of the same seven")


def test_layernorms_by_inheritance_are_spared_and_other_norms_are_not(answer):
    model = tiny_bert(1)
    model.final = models.ScaledLayerNorm(HIDDEN)
    model.norm = nn.RMSNorm(HIDDEN)
    model.batch_norm = nn.BatchNorm1d(HIDDEN)
    watched = [model.final.weight, model.norm.weight, model.batch_norm.weight, model.batch_norm.bias]
    what = "the decays of a LayerNorm subclass, an RMSNorm, a BatchNorm's weight, its bias"
    expected = [0.0, WEIGHT_DECAY, WEIGHT_DECAY, 0.0]
    expect.close(settings(groups_of(answer, model), "weight_decay", watched), expected, what=what)


class Tempered(nn.LayerNorm):
    """A LayerNorm with a parameter beside weight and bias."""

    def __init__(self, width):
        super().__init__(width)
        self.temperature = nn.Parameter(torch.ones(1))


def test_every_parameter_of_a_layernorm_is_spared_and_no_other_scalar(answer):
    model = tiny_bert(1)
    model.final = Tempered(HIDDEN)
    model.scale, model.shift = nn.Parameter(torch.tensor(1.5)), nn.Parameter(torch.ones(1))
    watched = [*model.final.parameters(), model.scale, model.shift]
    what = "the decays of weight, bias and temperature of a LayerNorm, of a scalar and of a vector of one"
    expected = [0.0] * 3 + [WEIGHT_DECAY] * 2
    decays = settings(groups_of(answer, model), "weight_decay", watched)
    expect.close(decays, expected, what=what)


def test_frozen_layers_count_where_the_rates_fall(answer):
    model = tiny_bert(4)
    model.bert.encoder.layer[2].requires_grad_(False)
    model.bert.encoder.layer[3].requires_grad_(False)
    groups = groups_of(answer, model)
    watched = [next(model.bert.embeddings.parameters()), next(model.bert.encoder.layer[0].parameters())]
    rates = expected_rates(4, LR, LAYER_DECAY)
    what = "the rates of embeddings and layer 0, where layers 2 and 3 of 4 are frozen"
    expect.close(settings(groups, "lr", watched), rates[:2], what=what)


def test_a_name_that_goes_on_after_embeddings_or_layer_is_another_part(answer):
    model = tiny_bert(2)
    model.bert.embeddings_projection = nn.Linear(HIDDEN, HIDDEN, bias=False)
    model.bert.encoder.layer_gate = nn.Linear(HIDDEN, HIDDEN, bias=False)
    watched = [model.bert.embeddings_projection.weight, model.bert.encoder.layer_gate.weight]
    what = "the rates of bert.embeddings_projection and bert.encoder.layer_gate"
    expect.close(settings(groups_of(answer, model), "lr", watched), [LR] * 2, what=what)


def test_a_frozen_parameter_with_an_old_gradient_is_in_no_group(answer):
    model = tiny_bert(2)
    models.leave_old_gradients(model)
    model.bert.embeddings.requires_grad_(False)
    held = {id(p) for group in groups_of(answer, model) for p in group["params"]}
    frozen = [name for name, p in model.named_parameters() if not p.requires_grad and id(p) in held]
    expect.equal(frozen, [], what="the frozen parameters with an old gradient in a group")


def test_each_parameter_that_trains_is_in_one_group_and_no_other_is(answer):
    model = tiny_bert(3)
    model.bert.embeddings.requires_grad_(False)
    model.bert.encoder.layer[0].requires_grad_(False)
    model.bert.encoder.layer[2].output.dense.bias.requires_grad_(False)
    groups = groups_of(answer, model)
    held = [id(p) for group in groups for p in group["params"]]
    frozen = [name for name, p in model.named_parameters() if not p.requires_grad and id(p) in held]
    expect.equal(frozen, [], what="the frozen parameters in a group")
    repeated = [name for name, p in model.named_parameters() if held.count(id(p)) > 1]
    expect.equal(repeated, [], what="the parameters that are in groups more than once")
    watched = [next(part.parameters()) for part in list(parts(model).values())[2:]]
    expected = expected_rates(3, LR, LAYER_DECAY)[2:]
    expect.close(settings(groups, "lr", watched), expected, what="the rates of what is above the frozen layer 0")


def test_a_shared_parameter_is_in_the_group_of_its_first_occurrence(answer):
    model = tiny_bert(3)
    layers = model.bert.encoder.layer
    layers[2].intermediate.dense.weight = layers[0].intermediate.dense.weight
    model.decoder = nn.Linear(HIDDEN, VOCAB, bias=False)
    model.decoder.weight = model.bert.embeddings.word_embeddings.weight
    layers[1].output.LayerNorm = layers[0].output.LayerNorm
    shared = [layers[0].intermediate.dense.weight, model.decoder.weight, layers[0].output.LayerNorm.weight]
    groups = groups_of(answer, model)
    times = [sum(p is parameter for group in groups for p in group["params"]) for parameter in shared]
    expect.equal(times, [1, 1, 1], what="how many times three shared parameters are in a group")
    rates = expected_rates(3, LR, LAYER_DECAY)
    expected = [rates[1], rates[0], rates[1]]
    what = "the rates of what layers 0 and 2, embeddings and head, layers 0 and 1 share"
    expect.close(settings(groups, "lr", shared), expected, what=what)
    what = "the decays of two shared weights and of a shared LayerNorm's weight"
    expect.close(settings(groups, "weight_decay", shared), [WEIGHT_DECAY, WEIGHT_DECAY, 0.0], what=what)
    model = tiny_bert(3)
    model.bert.encoder.layer[1].output.LayerNorm = model.bert.embeddings.LayerNorm
    model.classifier.weight = model.bert.encoder.layer[2].output.gate = nn.Parameter(torch.zeros(LABELS, HIDDEN))
    shared = [model.bert.embeddings.LayerNorm.weight, model.classifier.weight]
    what = "the rates of what embeddings and layer 1, layer 2 and head share"
    expect.close(settings(groups_of(answer, model), "lr", shared), [rates[0], rates[3]], what=what)


def adamw_over(groups):
    try:
        return torch.optim.AdamW(groups, lr=70.0, weight_decay=80.0)
    except (TypeError, ValueError, KeyError) as error:
        raise expect.CheckFailed("what AdamW does with the groups", "it accepts them", str(error)) from None


def test_adamw_takes_the_groups_as_they_are(answer):
    model = tiny_bert(2)
    with expect.untouched("what was given", {"model": model}):
        groups = answer.parameter_groups(model, lr=LR, layer_decay=LAYER_DECAY, weight_decay=WEIGHT_DECAY)
    optimizer = adamw_over(groups)
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
    models.leave_old_gradients(model)
    groups_of(answer, model)


def test_a_name_that_ends_in_bias_is_not_bias(answer):
    model = tiny_bert(1)
    model.attention = nn.MultiheadAttention(HIDDEN, 2)
    model.log_bias = nn.Parameter(torch.zeros(4))
    model.bias = nn.Parameter(torch.zeros(3))
    model.gates = nn.ModuleDict({"bias": nn.Linear(HIDDEN, 3)})
    model.double()
    groups = groups_of(answer, model)
    decays = settings(groups, "weight_decay", [model.attention.in_proj_bias, model.log_bias])
    expect.close(decays, [WEIGHT_DECAY] * 2, what="the decays of attention.in_proj_bias and log_bias")
    decays = settings(groups, "weight_decay", [model.attention.out_proj.bias, model.bias])
    expect.close(decays, [0.0] * 2, what="the decays of attention.out_proj.bias and the model's own bias")
    decays = settings(groups, "weight_decay", model.gates["bias"].parameters())
    expect.close(decays, [WEIGHT_DECAY, 0.0], what="the decays of weight and bias of a module that is called bias")


def test_names_that_other_recipes_spare_decay(answer):
    names = "gamma beta scale layer_scale temperature g b Bias norm LayerNorm cls_token pos_embed".split()
    norms = ["LayerNorm", "layer_norm", "ln_1", "norm1"]
    model = tiny_bert(1)
    layer, added = model.bert.encoder.layer[0].output, {}
    for name in names:
        model.register_parameter(name, nn.Parameter(torch.ones(HIDDEN)))
        added[name] = model.get_parameter(name)
        if not hasattr(layer, name):
            layer.register_parameter(name, nn.Parameter(torch.ones(HIDDEN)))
            added[f"bert.encoder.layer.0.output.{name}"] = layer.get_parameter(name)
    model.parts = nn.ModuleDict({name: nn.Linear(HIDDEN, 3, bias=False) for name in norms})
    added |= {f"parts.{name}.weight": model.parts[name].weight for name in norms}
    groups = groups_of(answer, model)
    spared = [name for name, p in added.items() if settings(groups, "weight_decay", [p]) != [WEIGHT_DECAY]]
    what = "the added parameters that don't get the weight decay, though none is a bias or in a LayerNorm"
    expect.equal(spared, [], what=what, given={"added": list(added)})
