"""3.05: what the options are, what each part of the loaded model is stored in, what trains, and that it does.

Tiny models are written to a folder and loaded from there; 4 bits work on the CPU too.

Long: each part of the loaded model is looked at by itself, in three families.
"""

import bitsandbytes  # Its import takes seconds; here it is not on a check's clock.
import torch
import transformers
from bitsandbytes.functional import dequantize_4bit
from peft import PeftModel
from transformers import (
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedModel,
)

from tunelings import expect
from tunelings.inputs import randint, randn, seed

transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()

SIZES = {
    "vocab_size": 41,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
# [in, out] of each projection of one layer.
ATTENTION = {"self_attn.q_proj": (64, 64), "self_attn.k_proj": (64, 32), "self_attn.v_proj": (64, 32)}
GATED = {"mlp.gate_proj": (64, 128), "mlp.up_proj": (64, 128), "mlp.down_proj": (128, 64)}
LLAMA = {**ATTENTION, "self_attn.o_proj": (64, 64), **GATED}
PHI = {**ATTENTION, "self_attn.dense": (64, 64), "mlp.fc1": (64, 128), "mlp.fc2": (128, 64)}
PHI3 = {"self_attn.qkv_proj": (64, 128), "self_attn.o_proj": (64, 64)}
PHI3 |= {"mlp.gate_up_proj": (64, 256), "mlp.down_proj": (128, 64)}
FAMILIES = {
    "Llama": (LlamaConfig, LlamaForCausalLM, LLAMA),
    "Phi": (PhiConfig, PhiForCausalLM, PHI),
    "Phi-3": (Phi3Config, Phi3ForCausalLM, PHI3),
}
LAYERS = SIZES["num_hidden_layers"]


def saved(family, folder, dtype=torch.bfloat16):
    """Write a tiny model with random weights, biases and norms in this dtype; returns the weights by name."""
    config_class, model_class, _ = FAMILIES[family]
    torch.default_generator.manual_seed(seed(1))
    model = model_class(config_class(**SIZES, tie_word_embeddings=family == "Phi-3"))  # A tied head is no projection.
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            if parameter.dim() == 1:  # Norms and biases would be ones and zeros.
                parameter.add_(0.3 * randn(len(parameter), offset=100 + number).to(parameter.dtype))
    model.to(dtype).save_pretrained(folder)
    return {name: value.detach() for name, value in model.state_dict().items()}


def load(answer, path, r=3, lora_alpha=7):
    """What the answer loads from `path`, which must be a PeftModel that has not run yet."""
    forwards = []

    def count(module, inputs):
        if isinstance(module, PreTrainedModel):
            forwards.append(type(module).__name__)

    hook = torch.nn.modules.module.register_module_forward_pre_hook(count)
    try:
        model = answer.load_for_qlora(path, r, lora_alpha)
    finally:
        hook.remove()
    what = "what load_for_qlora returned, which must be a PeftModel"
    expect.true(isinstance(model, PeftModel), what=what, actual=type(model).__name__, expected="a PeftModel")
    expect.equal(len(forwards), 0, what="how often load_for_qlora has run the model or its backbone")
    return model


def plain(name):
    """The name of a parameter or module as it is in the file."""
    for part in ("base_model.model.", "base_layer.", "original_module."):
        name = name.replace(part, "", 1)
    return name


def projections(model, family):
    """The layers of the base behind the adapters: `{"model.layers.0.mlp.up_proj": layer}`."""
    wanted = {f"model.layers.{number}.{kind}" for number in range(LAYERS) for kind in FAMILIES[family][2]}
    found = {plain(name): module for name, module in model.named_modules() if plain(name) in wanted}
    return {name: module.get_base_layer() if hasattr(module, "lora_A") else module for name, module in found.items()}


def stored_as(layer):
    """In words: what a linear layer is stored and computed in."""
    if isinstance(layer, bitsandbytes.nn.Linear4bit):
        state = layer.weight.quant_state
        if state is None:
            return "not quantized yet"
        scales = "scales quantized again" if state.nested else "scales in float32"
        return f"{state.quant_type}, {scales}, computed in {str(layer.compute_dtype).removeprefix('torch.')}"
    if isinstance(layer, bitsandbytes.nn.Linear8bitLt):
        return "8 bits"
    return str(layer.weight.dtype).removeprefix("torch.")


def adapted(model):
    """The modules with an adapter by their last two names, once each: `mlp.up_proj` stands for all layers."""
    names = [plain(name) for name, module in model.named_modules() if hasattr(module, "lora_A")]
    return sorted({".".join(name.split(".")[-2:]) for name in names}), len(names)


def of_adapters(model, which):
    return [p for name, p in model.named_parameters() if f"lora_{which}." in name]


def trainable(model):
    """How many numbers need a gradient: those of A and B, and all others."""
    counts = [0, 0]
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            counts[".lora_A." not in name and ".lora_B." not in name] += parameter.numel()
    return counts


def unquantized(model, names):
    """The parameters of the base that belong to `names`, and to no projection."""
    return {plain(n): p.detach() for n, p in model.named_parameters() if plain(n) in names}


def part_of(name):
    return {"lm_head": "lm_head", "model.embed_tokens": "embeddings"}.get(name.rpartition(".")[0], "norms and biases")


def test_the_config_asks_for_nf4_double_quantization_and_bfloat16(answer):
    config = answer.qlora_config()
    what = "what qlora_config returned, which must be a BitsAndBytesConfig"
    is_config = isinstance(config, BitsAndBytesConfig)
    expect.true(is_config, what=what, actual=type(config).__name__, expected="a BitsAndBytesConfig")
    options = {
        "load_in_4bit": config.load_in_4bit,
        "load_in_8bit": config.load_in_8bit,
        "quant_type": config.bnb_4bit_quant_type,
        "use_double_quant": config.bnb_4bit_use_double_quant,
        "compute_dtype": str(config.bnb_4bit_compute_dtype).removeprefix("torch."),
    }
    expected = {
        "load_in_4bit": True,
        "load_in_8bit": False,
        "quant_type": "nf4",
        "use_double_quant": True,
        "compute_dtype": "bfloat16",
    }
    expect.equal(options, expected, what="the options of qlora_config()")
    config.bnb_4bit_quant_type = "fp4"
    again = answer.qlora_config().bnb_4bit_quant_type
    expect.equal(again, "nf4", what="the quant_type of a second qlora_config() after the first was changed")


def test_every_projection_is_stored_in_nf4_and_holds_the_weights_of_the_file(answer, tmp_path):
    weights = saved("Llama", tmp_path)
    layers = projections(load(answer, tmp_path), "Llama")
    expect.equal(len(layers), LAYERS * len(LLAMA), what="how many projections of the file are in the model")
    formats = sorted({stored_as(layer) for layer in layers.values()})
    expected = ["nf4, scales quantized again, computed in bfloat16"]
    expect.equal(formats, expected, what="what the projections are stored and computed in")
    for name, layer in layers.items():
        original = weights[f"{name}.weight"].float()
        back = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float().cpu()
        expect.equal(list(back.shape), list(original.shape), what=f"the shape of {name}")
        error = float((back - original).norm() / original.norm())
        what = f"the error of {name}, as a share of its norm"
        expect.true(error < 0.11, what=what, actual=error, expected="about 0.092, that of NF4 on normal weights")


def test_every_projection_has_an_adapter_and_nothing_else_has(answer, tmp_path):
    for family, (_, _, kinds) in FAMILIES.items():
        saved(family, tmp_path / family)
        model = load(answer, str(tmp_path / family))
        found, count = adapted(model)
        expect.equal(found, sorted(kinds), what=f"the modules of {family} with an adapter")
        expect.equal(count, LAYERS * len(kinds), what=f"how many adapters two layers of {family} have")
        task = model.peft_config[model.active_adapter].task_type
        expect.equal(str(getattr(task, "value", task)), "CAUSAL_LM", what=f"the task type of the adapter of {family}")
    torch.default_generator.manual_seed(seed(2))
    bio = transformers.BioGptForCausalLM(transformers.BioGptConfig(**SIZES, tie_word_embeddings=False))
    bio.to(torch.bfloat16).save_pretrained(tmp_path / "BioGPT")
    model = load(answer, tmp_path / "BioGPT")
    known = {"fc1", "fc2", "k_proj", "out_proj", "q_proj", "v_proj"}  # Its head is called output_projection.
    others = sorted({name.split(".")[-1] for name in adapted(model)[0]} - known)
    expect.equal(others, [], what="the modules of BioGPT with an adapter that are no projections")
    head = next(module for name, module in model.named_modules() if plain(name) == "output_projection")
    expect.equal(stored_as(head), "float32", what="what the head of BioGPT is stored in")


def test_head_embeddings_norms_and_biases_are_those_of_the_file_in_float32(answer, tmp_path):
    weights = saved("Phi", tmp_path)
    model = load(answer, tmp_path)
    quantized = {f"{name}.weight" for name in projections(model, "Phi")}
    names = sorted(weights.keys() - quantized)
    values = unquantized(model, names)
    expect.equal(sorted(values), names, what="the parameters of the base, projections left out")
    dtypes = {}
    for name in names:
        dtypes.setdefault(part_of(name), set()).add(str(values[name].dtype).removeprefix("torch."))
    found = {part: sorted(kinds) for part, kinds in dtypes.items()}
    expect.equal(found, {part: ["float32"] for part in found}, what="the dtype of what is not quantized")
    for name in names:
        expect.equal(values[name].cpu(), weights[name].float(), what=f"{name}, from a bfloat16 file")


def test_only_the_adapters_train_and_they_are_float32(answer, tmp_path):
    saved("Phi", tmp_path)
    model = load(answer, tmp_path, r=5)
    numbers = LAYERS * sum(5 * (n_in + n_out) for n_in, n_out in PHI.values())
    trains = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    kinds = ("bias", "norm", "embed", "lm_head", "magnitude", "lora_A", "lora_B")
    expect.note("kinds that train", [kind for kind in kinds if any(kind in name for name in trains)])
    expect.note("inference_mode", bool(model.peft_config[model.active_adapter].inference_mode))
    expect.equal(trainable(model), [numbers, 0], what="trainable numbers, in adapters of rank 5 and elsewhere")
    dtypes = sorted({str(p.dtype) for p in of_adapters(model, "A") + of_adapters(model, "B")})
    expect.equal(dtypes, ["torch.float32"], what="the dtypes of A and B")


def test_an_adapter_counts_alpha_over_r(answer, tmp_path):
    saved("Llama", tmp_path)
    model = load(answer, tmp_path, r=5, lora_alpha=3).eval()
    scales = []
    for number, layer in enumerate(module for _, module in model.named_modules() if hasattr(module, "lora_A")):
        (a,), (b,) = ([m.weight for m in matrices.values()] for matrices in (layer.lora_A, layer.lora_B))
        with torch.no_grad():
            for offset, matrix in enumerate((a, b)):
                matrix.copy_(randn(*matrix.shape, offset=200 + 2 * number + offset))
            x = randn(4, a.shape[1], offset=7, dtype=torch.float32).to(a.device)
            added, update = layer(x) - layer.get_base_layer()(x), x @ a.float().T @ b.float().T
        scales.append(float((added * update).sum() / update.square().sum()))
    expected = [3 / 5] * (LAYERS * len(LLAMA))
    what = "the scale of each adapter for r = 5 and lora_alpha = 3"
    expect.close(scales, expected, what=what, terms=4, dtype=torch.bfloat16)


def test_a_step_runs_each_layer_twice_and_every_adapter_learns(answer, tmp_path):
    saved("Llama", tmp_path)
    model = load(answer, tmp_path).train()
    device = next(model.parameters()).device
    ids = randint(3, 41, (3, 7), offset=91).to(device)
    not_zero = sum(int(b.count_nonzero()) for b in of_adapters(model, "B"))
    expect.equal(not_zero, 0, what="how many numbers of the matrices B are not zero at the start")
    runs = []
    for name, module in model.named_modules():
        if name.endswith("input_layernorm"):  # The first that a decoder layer calls.
            module.register_forward_pre_hook(lambda module, inputs: runs.append(1))
    losses = []
    for step in range(5):
        loss = model(input_ids=ids, labels=ids).loss
        what = "trainable numbers, of which the loss must depend on some"
        expect.true(loss.requires_grad, what=what, actual=sum(trainable(model)), expected="more than 0")
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            what = "how often the two decoder layers ran in one step"
            expect.equal(len(runs), 2 * LAYERS, what=what)
            reached = sum(p.grad is not None and bool(p.grad.any()) for p in of_adapters(model, "B"))
            expect.equal(reached, LAYERS * len(LLAMA), what="how many matrices B have a gradient")
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(0.05 * parameter.grad)
                    parameter.grad = None
    what = "the loss on one batch after four steps of gradient descent"
    expect.true(losses[-1] < 0.95 * losses[0], what=what, actual=losses[-1], expected=f"well below {losses[0]:.4g}")


def test_the_memory_is_that_of_the_arithmetic_and_the_files_are_only_read(answer, tmp_path):
    weights = saved("Llama", tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    model = load(answer, tmp_path)
    found = [0, 0, 0, 0]
    for layer in projections(model, "Llama").values():
        found[0] += layer.weight.numel() * layer.weight.element_size()
        state = getattr(layer.weight, "quant_state", None)
        for part in (state, getattr(state, "state2", None)):
            found[1] += part.absmax.numel() * part.absmax.element_size() if part is not None else 0
    for name, parameter in model.named_parameters():
        size = parameter.numel() * parameter.element_size()
        if "lora_" in name:
            found[3] += size
        elif not any(plain(name) == f"{projection}.weight" for projection in projections(model, "Llama")):
            found[2] += size
    counts = [n_in * n_out for n_in, n_out in LLAMA.values()]
    elsewhere = sum(w.numel() for w in weights.values()) - LAYERS * sum(counts)
    expected = [
        LAYERS * sum(n // 2 for n in counts),
        LAYERS * sum(n // 64 + 4 for n in counts),
        4 * elsewhere,
        4 * LAYERS * sum(3 * (n_in + n_out) for n_in, n_out in LLAMA.values()),
    ]
    expect.equal(found, expected, what="the bytes of the projections, their scales, the rest, the adapters")
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    expect.equal(changed, [], what="the files in the folder that were changed, added or removed")


def test_a_file_of_another_dtype_keeps_all_its_digits(answer, tmp_path):
    for dtype in (torch.float32, torch.float16):
        folder = tmp_path / str(dtype)
        weights = saved("Llama", folder, dtype)
        model = load(answer, folder)
        names = sorted(weights.keys() - {f"{name}.weight" for name in projections(model, "Llama")})
        for name, value in unquantized(model, names).items():
            found = expect.tensor(value.cpu(), what=f"{name}, from a {dtype} file", dtype=torch.float32)
            expect.equal(found, weights[name].float(), what=f"{name}, from a {dtype} file")
