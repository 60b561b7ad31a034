"""3.03: which layers have an adapter, by name and by count; what trains, what is saved, what is refused.

Four tiny families, made in memory: Llama, Phi, Qwen2 and GPT-2, whose layers are Conv1D.

Long: four families, each as a language model and as a classifier.
"""

from functools import partial

import torch
import transformers
from peft import LoraConfig, PeftModel, inject_adapter_in_model
from safetensors.torch import load_file
from transformers import (
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PhiForCausalLM,
    PhiForSequenceClassification,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
)

from tunelings import expect
from tunelings.handson import tiny
from tunelings.inputs import randint, randn, seed

transformers.utils.logging.disable_progress_bar()

# Language model, classifier, and [in, out] of each projection of attention and MLP.
ATTENTION = {"self_attn.q_proj": (16, 16), "self_attn.k_proj": (16, 8), "self_attn.v_proj": (16, 8)}
GATED = {"mlp.gate_proj": (16, 20), "mlp.up_proj": (16, 20), "mlp.down_proj": (20, 16)}
LLAMA = {**ATTENTION, "self_attn.o_proj": (16, 16), **GATED}
PHI = {**ATTENTION, "self_attn.dense": (16, 16), "mlp.fc1": (16, 20), "mlp.fc2": (20, 16)}
GPT2 = {"attn.c_attn": (16, 48), "attn.c_proj": (16, 16), "mlp.c_fc": (16, 20), "mlp.c_proj": (20, 16)}
FAMILIES = {
    "Llama": (LlamaForCausalLM, LlamaForSequenceClassification, LLAMA),
    "Phi": (PhiForCausalLM, PhiForSequenceClassification, PHI),
    "Qwen2": (Qwen2ForCausalLM, Qwen2ForSequenceClassification, LLAMA),
    "GPT-2": (GPT2LMHeadModel, GPT2ForSequenceClassification, GPT2),
}


def build(family, offset, classifier=False, layers=1):
    """A tiny model of the family with random weights of its own, in eval mode."""
    language_model, classifying_model, _ = FAMILIES[family]
    torch.default_generator.manual_seed(seed(offset))
    config = tiny.family_config(family, layers, num_labels=3)
    return (classifying_model if classifier else language_model)(config).eval()


def adapted(model):
    """The names of the layers that have an adapter (an embedding too), as they are in the given model."""
    named = model.named_modules() if isinstance(model, torch.nn.Module) else []
    return [name.removeprefix("base_model.model.") for name, module in named if hasattr(module, "lora_A")]


def kinds(model):
    """The last two parts of each adapted layer's name, once each: `self_attn.q_proj` stands for all layers."""
    return sorted({".".join(name.split(".")[-2:]) for name in adapted(model)})


def matrices(model):
    """The adapted projections: `{name: (A's weight, B's weight)}`."""
    layers = {name: model.get_submodule(f"base_model.model.{name}") for name in adapted(model)}
    pairs = {name: (list(layer.lora_A.values()), list(layer.lora_B.values())) for name, layer in layers.items()}
    return {name: (a[0].weight, b[0].weight) for name, (a, b) in pairs.items() if a and b}


def attached(model):
    """What the answer returned, which must be a PeftModel."""
    what = "what attach_lora returned, which must be a PeftModel"
    expect.true(isinstance(model, PeftModel), what=what, actual=type(model).__name__, expected="a PeftModel")
    return model.eval()


def trainable(model):
    """The parameters that need a gradient: how many numbers they hold in each kind."""
    counts = {"adapters": 0, "everything else": 0}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            counts["adapters" if "lora_" in name else "everything else"] += parameter.numel()
    return counts


def fill(model, offset):
    """Random numbers into all that needs a gradient, as if it had been trained."""
    with torch.no_grad():
        for number, parameter in enumerate(p for p in model.parameters() if p.requires_grad):
            parameter.copy_(0.3 * randn(*parameter.shape, offset=offset + number))


def same(a, b):
    return a.dtype == b.dtype and torch.equal(a, b)


def logits(model, offset=90):
    with torch.no_grad():
        return model.eval()(input_ids=randint(3, 31, (3, 7), offset=offset)).logits


def save_whole(model, folder, whose):
    """Save the adapter, and see that the file holds as many numbers as need a gradient."""
    model.save_pretrained(folder)
    stored = sum(value.numel() for value in load_file(folder / "adapter_model.safetensors").values())
    expect.equal(stored, sum(trainable(model).values()), what=f"how many numbers the saved file holds, {whose}")


def test_every_projection_of_attention_and_mlp_has_an_adapter_and_nothing_else(answer):
    for number, (family, (_, _, projections)) in enumerate(FAMILIES.items()):
        model = attached(answer.attach_lora(build(family, offset=number, layers=2), 3, 6))
        expect.equal(kinds(model), sorted(projections), what=f"the layers of {family} with an adapter")
        expect.equal(len(adapted(model)), 2 * len(projections), what=f"how many adapters two layers of {family} have")


def test_each_adapter_has_rank_r_and_counts_alpha_over_r(answer):
    for r, alpha, family in ((3, 12, "Llama"), (5, 2, "GPT-2")):
        _, _, projections = FAMILIES[family]
        model = attached(answer.attach_lora(build(family, offset=1), r, alpha))
        ranks = [len(a) for a, _ in matrices(model).values()]
        expect.equal(sorted(set(ranks)), [r], what=f"the ranks of the adapters for r = {r}")
        fill(model, offset=10)
        scales = []
        for name, (a, b) in matrices(model).items():
            x = randn(4, a.shape[1], offset=7, dtype=torch.float32)
            layer = model.get_submodule(f"base_model.model.{name}")
            with torch.no_grad():
                added, update = layer(x) - layer.get_base_layer()(x), x @ a.T @ b.T
            scales.append(float((added * update).sum() / update.square().sum()))
            expect.close(added, scales[-1] * update, what=f"the direction of what {name} adds", terms=500, scale=30.0)
        expected = [alpha / r] * len(projections)
        what = f"the scale of each adapter for r = {r} and lora_alpha = {alpha}"
        expect.close(scales, expected, what=what, dtype=torch.float32, scale=30.0)


def test_the_task_type_is_that_of_the_models_class(answer):
    found, expected, layers = [], [], []
    for number, family in enumerate(FAMILIES):
        for classifier in (False, True):
            model = attached(answer.attach_lora(build(family, number, classifier), 3, 6))
            task = model.peft_config[model.active_adapter].task_type
            found.append(str(getattr(task, "value", task)))
            expected.append("SEQ_CLS" if classifier else "CAUSAL_LM")
            layers.append(kinds(model))
    families = [family for family in FAMILIES for _ in range(2)]
    given = {"families": families}
    what = "the task types of a language model and a classifier of each family"
    expect.equal(found, expected, what=what, given=given)
    what = "the layers with an adapter, in a language model and a classifier of each family"
    expect.equal(layers, [sorted(FAMILIES[family][2]) for family in families], what=what, given=given)


def test_a_classifiers_head_is_trained_whole_and_comes_back_from_the_file(answer, tmp_path):
    for number, family in enumerate(("Llama", "GPT-2")):
        _, _, projections = FAMILIES[family]
        model = attached(answer.attach_lora(build(family, 1, classifier=True), 3, 6))
        expect.equal(kinds(model), sorted(projections), what=f"the layers with an adapter, {family} classifier")
        others = trainable(model)["everything else"]
        expect.equal(others, 3 * 16, what=f"the trainable numbers outside of adapters, {family} classifier")
        fill(model, offset=10)
        expected = logits(model)
        save_whole(model, tmp_path / str(number), f"{family} classifier")
        base = build(family, 1, classifier=True)
        with torch.no_grad():
            base.score.weight.copy_(randn(3, 16, offset=80))  # Each new model draws its own head.
        again = logits(PeftModel.from_pretrained(base, tmp_path / str(number)))
        what = f"the scores of the {family} classifier after saving and loading"
        expect.close(again, expected, what=what, scale=30.0, terms=500)


def changed_weights(before, adapted_model):
    """The names of the base's parameters that have other numbers, or another dtype, than before."""
    now = {n.removeprefix("base_model.model."): p for n, p in adapted_model.named_parameters() if "lora_" not in n}
    now = {name.replace(".base_layer", ""): parameter for name, parameter in now.items()}
    return [name for name, weight in before.items() if name not in now or not same(now[name], weight)]


def test_at_the_start_the_model_answers_as_before(answer):
    for number, family in enumerate(("Qwen2", "GPT-2")):
        model = build(family, offset=number)
        before, weights = logits(model), {name: p.detach().clone() for name, p in model.named_parameters()}
        adapted_model = attached(answer.attach_lora(model, 3, 6))
        changed = changed_weights(weights, adapted_model)
        expect.equal(changed, [], what=f"weights of the {family} base that attaching has changed")
        after = logits(adapted_model)
        expect.close(after, before, what=f"the logits of {family} right after attaching", terms=500)
        not_zero = [int(b.count_nonzero()) for _, b in matrices(adapted_model).values()]
        expect.equal(not_zero, [0] * len(not_zero), what=f"how many numbers of each B are not 0 at the start, {family}")


def test_the_weights_of_a_bfloat16_base_stay_as_they_are(answer):
    model = build("Llama", offset=2).to(torch.bfloat16)
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    changed = changed_weights(weights, attached(answer.attach_lora(model, 3, 6)))
    expect.equal(changed, [], what="weights of a bfloat16 base that have other numbers or another dtype")


def test_adapters_train_and_the_base_does_not(answer):
    for number, family in enumerate(("Phi", "GPT-2")):
        _, _, projections = FAMILIES[family]
        model = attached(answer.attach_lora(build(family, offset=number), 3, 6))
        counts = list(trainable(model).values())
        expected = [sum(3 * (n_in + n_out) for n_in, n_out in projections.values()), 0]
        expect.equal(counts, expected, what=f"trainable numbers of {family}, in adapters and elsewhere")
        fill(model, offset=10)
        ids = randint(3, 31, (3, 7), offset=91)
        model(input_ids=ids, labels=ids).loss.backward()
        pairs = matrices(model).values()
        reached = [sum(p.grad is not None and bool(p.grad.any()) for p in pair) for pair in pairs]
        expect.equal(reached, [2] * len(reached), what=f"how many of A and B of each {family} adapter have a gradient")


def or_refused(call):
    """What the call returns, or "a ValueError" where it raises one."""
    try:
        return call()
    except ValueError:
        return "a ValueError"


def test_only_the_target_modules_asked_for_have_an_adapter(answer):
    cases = (
        ("Llama", ["q_proj", "down_proj"], ["mlp.down_proj", "self_attn.q_proj"], 4),
        ("GPT-2", ["c_proj"], ["attn.c_proj", "mlp.c_proj"], 4),
        ("GPT-2", ["mlp.c_proj"], ["mlp.c_proj"], 2),
        ("Phi", ["model.layers.1.mlp.fc1", "v_proj"], ["mlp.fc1", "self_attn.v_proj"], 3),
        ("Qwen2", ["k_proj", "up_proj", "k_proj"], ["mlp.up_proj", "self_attn.k_proj"], 4),
        ("Llama", ["embed_tokens"], ["model.embed_tokens"], 1),  # not linear, but a module that was asked for
    )
    for family, asked, expected, count in cases:
        given = list(asked)
        with expect.untouched("the list of target_modules", given):
            call = partial(answer.attach_lora, build(family, offset=1, layers=2), 3, 6, target_modules=given)
            model = or_refused(call)
        what = f"what comes back for {asked}, which are all names of layers in {family}"
        expect.true(not isinstance(model, str), what=what, actual=model, expected="a PeftModel")
        expect.equal(kinds(attached(model)), expected, what=f"the layers of {family} with an adapter for {asked}")
        expect.equal(len(adapted(model)), count, what=f"how many adapters {family} has for {asked}")


def test_an_entry_is_no_pattern_and_no_mere_ending(answer):
    model = build("Llama", offset=1)
    attention = model.model.layers[0].self_attn
    attention.xq_proj = torch.nn.Linear(4, 4)
    attention.mlpxup_proj = torch.nn.Linear(4, 4)
    model = attached(answer.attach_lora(model, 3, 6, target_modules=["q_proj", "mlp.up_proj"]))
    expected = ["mlp.up_proj", "self_attn.q_proj"]
    expect.equal(
        kinds(model), expected, what="the layers with an adapter, where `xq_proj` and `mlpxup_proj` are there too"
    )


def test_an_entry_that_matches_nothing_is_refused_by_name(answer):
    cases = (
        ("Llama", ["q_proj", "w_proj"], "w_proj"),
        ("Llama", ["c_attn"], "c_attn"),
        ("Phi", ["o_proj", "fc1", "fc2"], "o_proj"),
        ("Qwen2", ["v_proj", "k_pro"], "k_pro"),  # part of a name
        ("GPT-2", ["c_fc", "fc"], "fc"),
    )
    lacking = []
    for family, asked, unmatched in cases:
        model, messages = build(family, offset=1), []

        def call(model=model, asked=asked, messages=messages):
            try:
                return kinds(answer.attach_lora(model, 3, 6, target_modules=asked))
            except ValueError as error:
                messages.append(str(error))
                raise

        expect.raises(ValueError, call, what=f"the call for {family} with {asked}")
        lacking += [] if unmatched in messages[0] else [unmatched]
    expect.equal(lacking, [], what="the entries that match nothing and are not in the message")


def test_an_empty_list_of_target_modules_is_refused(answer):
    model = build("Llama", offset=1)

    def call():
        return kinds(answer.attach_lora(model, 3, 6, target_modules=[]))

    expect.raises(ValueError, call, what="the call with target_modules=[]")


def with_lora_layers(answer):
    """Three models that have LoRA layers; in the last one, they were put into the backbone alone."""
    first, second = (attached(answer.attach_lora(build("Llama", 1), 3, 6, target_modules=["q_proj"])) for _ in range(2))
    third = build("Llama", offset=1)
    inject_adapter_in_model(LoraConfig(r=3, target_modules=["q_proj"]), third.model)
    return {
        "a PeftModel": first,
        "the base object inside of a PeftModel": second.get_base_model(),
        "a model with LoRA layers in its backbone": third,
    }


def test_a_model_that_has_lora_layers_is_refused(answer):
    for name, model in with_lora_layers(answer).items():
        before = [p.requires_grad for p in model.parameters()]

        def call(model=model):
            return kinds(answer.attach_lora(model, 3, 6, target_modules=["up_proj"]))

        expect.raises(ValueError, call, what=f"the second call, for {name}")
        expect.equal(kinds(model), ["self_attn.q_proj"], what=f"the adapters after the refused call for {name}")
        after = [p.requires_grad for p in model.parameters()]
        expect.equal(after, before, what=f"which parameters need a gradient after the refused call for {name}")


def test_a_refused_call_leaves_the_model_as_it_was(answer):
    for asked in (["q_proj", "w_proj"], []):
        model = build("Llama", offset=1)
        model.model.embed_tokens.weight.requires_grad_(False)
        before = [p.requires_grad for p in model.parameters()]

        def call(model=model, asked=asked):
            return kinds(answer.attach_lora(model, 3, 6, target_modules=asked))

        expect.raises(ValueError, call, what=f"the call with target_modules={asked}")
        expect.equal(kinds(model), [], what="the layers with an adapter after a call that was refused")
        after = [p.requires_grad for p in model.parameters()]
        expect.equal(after, before, what="which parameters need a gradient after a call that was refused")
    model = attached(answer.attach_lora(model, 3, 6, target_modules=["q_proj"]))
    expect.equal(kinds(model), ["self_attn.q_proj"], what="the layers with an adapter after a second try")


def test_modules_to_save_are_trained_whole_and_come_back_from_the_file(answer, tmp_path):
    cases = (
        ("Llama", False, ["lm_head"], 31 * 16),
        ("Phi", True, ["embed_tokens", "final_layernorm"], 31 * 16 + 2 * 16 + 3 * 16),
    )
    for family, classifier, modules, expected in cases:
        # A list of its own for the answer: peft adds the names of heads to it.
        model = attached(answer.attach_lora(build(family, 1, classifier), 3, 6, modules_to_save=list(modules)))
        expect.note("layers with an adapter", kinds(model))
        counts = trainable(model)["everything else"]
        expect.equal(counts, expected, what=f"trainable numbers outside of adapters for modules_to_save={modules}")
        task = getattr(model.peft_config["default"].task_type, "value", model.peft_config["default"].task_type)
        asked = "SEQ_CLS" if classifier else "CAUSAL_LM"
        expect.equal(task, asked, what=f"the task type of a {family} with modules_to_save={modules}")
        fill(model, offset=10)
        expected = logits(model)
        save_whole(model, tmp_path / family, f"{family}, modules_to_save={modules}")
        again = logits(PeftModel.from_pretrained(build(family, 1, classifier), tmp_path / family))
        what = f"the logits after saving and loading, modules_to_save={modules}"
        expect.close(again, expected, what=what, scale=30.0, terms=500)
