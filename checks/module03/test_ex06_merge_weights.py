"""3.06: one layer by the formula and bit by bit; then whole folders: what is written, and what is left alone.

Long: a layer and a folder are two contracts, and each kind of folder is written here.
"""

import hashlib
import json
import os

import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2LMHeadModel,
    LlamaForCausalLM,
    PhiForCausalLM,
    Qwen2ForCausalLM,
)

from tunelings import expect
from tunelings.handson import tiny
from tunelings.inputs import randint, randn, seed

transformers.utils.logging.disable_progress_bar()


class Layer(nn.Module):
    """The attributes of 3.01, filled with given numbers; `dropout` is that of training."""

    def __init__(self, base, lora_A, lora_B, scaling):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.lora_A, self.lora_B, self.scaling = nn.Parameter(lora_A), nn.Parameter(lora_B), scaling
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return self.base(x) + self.scaling * (self.dropout(x) @ self.lora_A.T @ self.lora_B.T)


def linear(weight, bias=None):
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def random_layer(n_in, n_out, r, scaling, offset, bias=True, dtype=torch.float64):
    base = linear(
        randn(n_out, n_in, offset=offset, dtype=dtype), randn(n_out, offset=offset + 1, dtype=dtype) if bias else None
    )
    a, b = randn(r, n_in, offset=offset + 2, dtype=dtype), randn(n_out, r, offset=offset + 3, dtype=dtype)
    return Layer(base, a, b, scaling)


def product(b, a):
    """B A as a sum of outer products, in float64."""
    return sum(torch.outer(b.detach().double()[:, k], a.detach().double()[k]) for k in range(a.shape[0]))


def merged_weight(layer):
    return layer.base.weight.detach().double() + layer.scaling * product(layer.lora_B, layer.lora_A)


def merged_by(answer, layer):
    """The layer that merge returns; the given one must be afterwards what it was before."""
    with expect.untouched("the layer that was given", layer):
        merged = answer.merge(layer)
    return is_linear(merged)


def is_linear(merged):
    what = "what merge returned, which must be an nn.Linear"
    expect.true(isinstance(merged, nn.Linear), what=what, actual=type(merged).__name__, expected="Linear")
    return merged


def close(actual, expected, what, scale=50.0):
    expect.close(actual, expected, what=what, terms=100, scale=scale, dtype=torch.float32)


def test_the_weight_is_the_bases_plus_the_scaled_product(answer):
    numbers = [randint(1, 6, (4, 4), offset=i).double() for i in range(3)]
    layer = Layer(linear(numbers[0]), numbers[1], numbers[2], scaling=2.5)
    expect.note("base", numbers[0])
    expect.note("product", product(layer.lora_B, layer.lora_A))
    expected = merged_weight(layer)
    merged = merged_by(answer, layer)
    close(merged.weight, expected, what="the merged weight, scaling 2.5", scale=500.0)


def test_the_merged_layer_answers_as_the_lora_layer_did(answer):
    for n_in, n_out, r, bias in ((7, 3, 2, True), (3, 5, 1, False), (4, 6, 9, True)):
        layer = random_layer(n_in, n_out, r, scaling=0.7, offset=10, bias=bias)
        x = randn(5, 2, n_in, offset=20)
        expected = x @ merged_weight(layer).T + (layer.base.bias if bias else 0)
        merged = merged_by(answer, layer)
        expect.equal((merged.bias is not None), bias, what=f"a bias in the merged layer, with bias={bias} in the base")
        features = [merged.in_features, merged.out_features]
        expect.equal(features, [n_in, n_out], what="in_features and out_features of the merged layer")
        with torch.no_grad():
            output = merged.double()(x)
        close(output, expected, what=f"the output of {n_in} to {n_out} features, rank {r}", scale=100.0)


def test_layer_and_base_are_not_changed_and_a_second_call_gives_the_same(answer):
    layer = random_layer(5, 3, 2, scaling=1.5, offset=30).eval()
    layer.register_forward_hook(lambda *_: torch.zeros(()))  # What it answers is not read, only its attributes.
    for parameter in layer.requires_grad_().parameters():
        parameter.grad = torch.ones_like(parameter)
    expected = merged_weight(layer)
    with expect.untouched("the layer", layer):
        answer.merge(layer)
    close(is_linear(answer.merge(layer)).weight, expected, what="the weight that a second call returns")


def test_the_new_layer_shares_no_memory_with_the_old_one(answer):
    for kind in ("trained", "new"):
        layer = random_layer(5, 3, 2, scaling=1.5, offset=30)
        if kind == "new":
            nn.init.zeros_(layer.lora_B)
        merged = merged_by(answer, layer)
        what = f"the layer with a {kind} adapter, when the merged one is written to"
        with expect.unchanged(what, dict(layer.named_parameters())), torch.no_grad():
            for parameter in merged.parameters():
                parameter.copy_(randn(*parameter.shape, offset=40))


def test_half_precision_is_summed_in_float32_and_rounded_once(answer):
    for dtype, matrices in ((torch.bfloat16, torch.bfloat16), (torch.bfloat16, torch.float32), (torch.float16,) * 2):
        a, b = randn(7, 5, offset=50, dtype=matrices), randn(6, 7, offset=51, dtype=matrices)
        update = 0.3 * product(b, a)
        # The base nearly cancels the update: a rounding on the way is large beside what is left.
        base = linear((-update * (1 + 0.05 * randn(6, 5, offset=52).sign())).to(dtype))
        layer = Layer(base, a, b, scaling=0.3)
        exact = merged_weight(layer)
        merged = merged_by(answer, layer)
        ratio = expect.tensor(merged.weight, what="the merged weight").detach().double() / exact
        what = f"merged weight / exact sum, {dtype} base, {matrices} A and B"
        expect.close(ratio, torch.ones(6, 5), what=what, terms=0.52, scale=1.0, dtype=dtype)


def test_the_matrices_may_have_another_dtype_than_the_base(answer):
    kinds = (torch.float32, torch.bfloat16), (torch.float32, torch.float64), (torch.float64, torch.float16)
    for dtype, matrices in kinds:
        base = linear(randn(3, 5, offset=53, dtype=dtype))
        a, b = randn(2, 5, offset=54, dtype=matrices), randn(3, 2, offset=55, dtype=matrices)
        layer = Layer(base, a, b, scaling=1.25)
        expected = merged_weight(layer)
        merged = merged_by(answer, layer)
        expect.tensor(merged.weight, what=f"the merged weight, {dtype} base, {matrices} A and B", dtype=dtype)
        close(merged.weight, expected, what=f"the merged weight, {dtype} base, {matrices} A and B", scale=5.0)


def test_dtype_and_device_are_those_of_the_base(answer):
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        for bias in (True, False):
            merged = merged_by(answer, random_layer(5, 3, 2, 1.5, offset=60, bias=bias, dtype=dtype))
            found = sorted({str(p.dtype) for p in merged.parameters()})
            expect.equal(found, [str(dtype)], what=f"the dtypes of the merged layer for a {dtype} base")
    merged = is_linear(answer.merge(random_layer(5, 3, 2, 1.5, offset=60).to("meta")))
    found = sorted({str(p.device) for p in merged.parameters()})
    expect.equal(found, ["meta"], what="the devices of the merged layer for a base on the meta device")


FAMILIES = {"Llama": LlamaForCausalLM, "Phi": PhiForCausalLM, "Qwen2": Qwen2ForCausalLM, "GPT-2": GPT2LMHeadModel}
R, ALPHA = 3, 7


def put_random(model, offset, trainable_only=False):
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            if parameter.requires_grad or not trainable_only:
                parameter.copy_(0.3 * randn(*parameter.shape, offset=offset + number))


def make_base(folder, family="Llama", offset=100, dtype=torch.float32):
    """A base with random weights, biases too, in its folder; the model itself is returned."""
    torch.default_generator.manual_seed(seed(offset))
    model = FAMILIES[family](tiny.family_config(family)).to(dtype)
    put_random(model, offset)
    if family == "Llama":  # Equal to the embedding, and not tied to it.
        model.lm_head.load_state_dict(model.get_input_embeddings().state_dict())
    model.save_pretrained(folder)
    return model.eval()


def make_adapter(folder, base, names_as_base, **options):
    """A trained adapter in its folder, whose config names a base; the logits that base and adapter give."""
    config = LoraConfig(r=R, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM", **options)
    model = get_peft_model(base, config)
    put_random(model, offset=300, trainable_only=True)
    expected = logits(model)
    model.save_pretrained(folder)
    config_file = folder / "adapter_config.json"
    named = json.loads(config_file.read_text(encoding="utf-8"))
    config_file.write_text(json.dumps({**named, "base_model_name_or_path": str(names_as_base)}), encoding="utf-8")
    return expected


def folders(tmp_path, family="Llama", dtype=torch.float32, **options):
    """A base and an adapter in their folders, where the result shall go, and the logits that are to come out."""
    base_path, adapter_path = tmp_path / "the-base", tmp_path / "the-adapter"
    base = make_base(base_path, family, dtype=dtype)
    expected = make_adapter(adapter_path, base, base_path, **options)
    return base_path, adapter_path, tmp_path / "out", expected


def logits(model):
    with torch.no_grad():
        return model.eval()(input_ids=randint(3, 31, (3, 7), offset=400)).logits


def files(folder):
    return sorted(path.name for path in folder.rglob("*")) if folder.is_dir() else []


def stored(folder):
    """The tensors of a model's own weight files, which must be there."""
    weights = sorted(folder.glob("model*.safetensors")) if folder.is_dir() else []
    what, expected = "the files written into out_path", "model.safetensors and config.json"
    expect.true(weights and (folder / "config.json").is_file(), what=what, actual=files(folder), expected=expected)
    return {name: tensor for path in weights for name, tensor in load_file(path).items()}


def merged_by_hand(base_path, adapter_path, transposed=False):
    """Every tensor of the base's file in float64, with the update added where the adapter has one."""
    adapter = load_file(adapter_path / "adapter_model.safetensors")
    merged = {}
    for name, weight in load_file(base_path / "model.safetensors").items():
        layer = f"base_model.model.{name.removesuffix('.weight')}"
        merged[name] = weight.double()
        if f"{layer}.lora_A.weight" in adapter:
            update = ALPHA / R * product(adapter[f"{layer}.lora_B.weight"], adapter[f"{layer}.lora_A.weight"])
            merged[name] = merged[name] + (update.T if transposed else update)
    return merged


def changed_settings(base_path, out_path):
    """The entries of the written config that the base's does not have, or has with another value."""
    folders = base_path, out_path
    before, after = (json.loads((folder / "config.json").read_text(encoding="utf-8")) for folder in folders)
    names = sorted((before.keys() | after.keys()) - {"transformers_version", "_name_or_path"})
    return {name: after.get(name) for name in names if after.get(name) != before.get(name)}


def check_weights(found, expected, base_path, family, terms=100):
    """Names, dtypes and numbers of what was written."""
    what = f"names of stored weights that the {family} base's file has not"
    expect.equal(sorted(found.keys() - expected.keys()), [], what=what)
    what = f"weights of the {family} base's file that were not written"
    expect.equal(sorted(expected.keys() - found.keys()), [], what=what)
    dtypes = {name: str(tensor.dtype) for name, tensor in found.items()}
    in_base = {name: str(tensor.dtype) for name, tensor in load_file(base_path / "model.safetensors").items()}
    expect.equal(sorted(set(dtypes.values())), sorted(set(in_base.values())), what=f"the dtypes of {family}'s weights")
    for name in sorted(expected, key=lambda name: "attn" not in name):
        scale = float(expected[name].abs().max()) + 3
        expect.close(found[name], expected[name], what=f"{family}'s {name}", terms=terms, scale=scale)


def test_the_files_hold_the_bases_weights_with_the_update_in_them(answer, tmp_path):
    base_path, adapter_path, out_path, _ = folders(tmp_path)
    with expect.untouched("what was given", {"base_path": base_path, "adapter_path": adapter_path}):
        answer.merge_adapter(base_path, adapter_path, out_path)
    adapter_file = out_path / "adapter_model.safetensors"
    expect.note("tensors in an adapter file", len(load_file(adapter_file)) if adapter_file.is_file() else None)
    check_weights(stored(out_path), merged_by_hand(base_path, adapter_path), base_path, "Llama")


def test_the_written_model_is_plain_and_answers_as_base_and_adapter(answer, tmp_path):
    for family in ("Phi", "Qwen2", "GPT-2"):
        base_path, adapter_path, out_path, expected = folders(tmp_path / family, family)
        with expect.untouched("what was given", {"base_path": base_path, "adapter_path": adapter_path}):
            answer.merge_adapter(str(base_path), str(adapter_path), str(out_path / "deeper" / "down"))
        out_path = out_path / "deeper" / "down"
        found = stored(out_path)
        check_weights(found, merged_by_hand(base_path, adapter_path, family == "GPT-2"), base_path, family)
        changed = changed_settings(base_path, out_path)
        expect.equal(changed, {}, what=f"entries of config.json that are not the {family} base's")
        adapter_files = [name for name in files(out_path) if "adapter" in name]
        expect.equal(adapter_files, [], what=f"the adapter's files in out_path, {family}")
        model = AutoModelForCausalLM.from_pretrained(out_path)
        kind = FAMILIES[family].__name__
        expect.equal(type(model).__name__, kind, what=f"the class of the written {family} model")
        expect.close(logits(model), expected, what=f"the logits of the written {family} model", terms=500, scale=30.0)


def test_the_base_that_the_adapters_config_names_is_ignored(answer, tmp_path):
    base_path, adapter_path, other = tmp_path / "the-base", tmp_path / "the-adapter", tmp_path / "another-base"
    make_adapter(adapter_path, make_base(base_path), other)
    make_base(other, offset=200)
    with expect.untouched("what was given", {"base_path": base_path, "adapter_path": adapter_path}):
        answer.merge_adapter(base_path, adapter_path, tmp_path / "out")
    check_weights(stored(tmp_path / "out"), merged_by_hand(base_path, adapter_path), base_path, "Llama")


def test_a_base_in_half_precision_is_written_in_its_dtype(answer, tmp_path):
    for dtype in (torch.bfloat16, torch.float16):
        name = str(dtype).removeprefix("torch.")
        base_path, adapter_path, out_path, _ = folders(tmp_path / name, dtype=dtype)
        with expect.untouched("what was given", {"base_path": base_path, "adapter_path": adapter_path}):
            answer.merge_adapter(base_path, adapter_path, out_path)
        # Two roundings: of the update and of the sum.
        by_hand = merged_by_hand(base_path, adapter_path)
        check_weights(stored(out_path), by_hand, base_path, f"{name} Llama", terms=2)
        loaded = AutoModelForCausalLM.from_pretrained(out_path).dtype
        expect.equal(str(loaded), str(dtype), what=f"the dtype of the written {name} model when it is loaded")


def test_a_folder_may_be_there_already_and_its_other_files_stay(answer, tmp_path):
    base_path, adapter_path, _, _ = folders(tmp_path)
    make_base(tmp_path / "another-base", offset=200)
    out_path = tmp_path / "the-base-merged" / "the-base"  # Its name, and how its path begins, are those of the base.
    out_path.mkdir(parents=True)
    others = ["notes.txt", "vision.safetensors"]
    for name in others:
        (out_path / name).write_text("kept")
    for base in (base_path, tmp_path / "another-base"):  # The second result takes the first one's place.
        with expect.untouched("what was given", {"base_path": base, "adapter_path": adapter_path}):
            answer.merge_adapter(base, adapter_path, out_path)
        there = [name for name in others if (out_path / name).is_file() and (out_path / name).read_bytes() == b"kept"]
        expect.equal(there, others, what="which of two other files in out_path are there as before")
        check_weights(stored(out_path), merged_by_hand(base, adapter_path), base, f"the Llama in {base.name},")


def test_whole_modules_of_the_adapter_are_written_too(answer, tmp_path):
    base_path, adapter_path, out_path, expected = folders(tmp_path, modules_to_save=["lm_head"])
    with expect.untouched("what was given", {"base_path": base_path, "adapter_path": adapter_path}):
        answer.merge_adapter(base_path, adapter_path, out_path)
    found = stored(out_path)
    adapter = load_file(adapter_path / "adapter_model.safetensors")
    head = next(tensor for name, tensor in adapter.items() if "lm_head" in name)
    names = load_file(base_path / "model.safetensors")
    expect.equal(sorted(found), sorted(names), what="the names of the weights for an adapter with a head")
    expect.close(found["lm_head.weight"], head, what="the head that was trained whole with the adapter")
    model = AutoModelForCausalLM.from_pretrained(out_path)
    expect.close(logits(model), expected, what="the logits of the written model", terms=500, scale=30.0)


def test_an_adapter_keeps_its_own_scales(answer, tmp_path):
    patterns = {"rank_pattern": {"q_proj": 5}, "alpha_pattern": {"down_proj": 19}}
    for name, options in {"use_rslora": {"use_rslora": True}, "rank and alpha patterns": patterns}.items():
        base_path, adapter_path, out_path, expected = folders(tmp_path / name, **options)
        answer.merge_adapter(base_path, adapter_path, out_path)
        stored(out_path)
        found = logits(AutoModelForCausalLM.from_pretrained(out_path))
        expect.close(found, expected, what=f"the written model's logits, adapter with {name}", terms=500, scale=30.0)


TEXT = "w5 w9 w9 w29 w7"
CHAT = [{"role": "user", "content": "w6 w11"}]
TEMPLATE = "{% for message in messages %}w3 {{ message['content'] }} w4 {% endfor %}"


def make_tokenizer(folder, shift=0, unknown="w0"):
    """Words w0 to w29, fewer than the base has rows, and the unknown one; `shift` gives them other numbers."""
    words = {f"w{(number + shift) % 30}": number for number in range(30)}
    words.setdefault(unknown, 30)
    fast = tiny.word_tokenizer(words, unknown=unknown, unk_token=unknown, pad_token="w0", eos_token="w2")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    return fast


def test_the_bases_tokenizer_is_written_too(answer, tmp_path):
    base_path, adapter_path, out_path, _ = folders(tmp_path)
    tokenizer = make_tokenizer(base_path)
    make_tokenizer(adapter_path, shift=5)
    with expect.untouched("what was given", {"base_path": base_path, "adapter_path": adapter_path}):
        answer.merge_adapter(base_path, adapter_path, out_path)
    there = bool(list(out_path.glob("tokenizer*.json")))
    expect.true(there, what="the files in out_path", actual=files(out_path), expected="those of the tokenizer too")
    written = AutoTokenizer.from_pretrained(out_path)
    expect.equal(written(TEXT)["input_ids"], tokenizer(TEXT)["input_ids"], what=f"the ids of {TEXT!r}")
    expect.equal(str(written.chat_template), TEMPLATE, what="the chat template of the written tokenizer")
    said = written.apply_chat_template(CHAT, tokenize=False)
    expect.equal(said, "w3 w6 w11 w4 ", what="a conversation in the written tokenizer's chat template")
    padding = {"token": written.pad_token, "side": written.padding_side}
    expect.equal(padding, {"token": "w0", "side": "right"}, what="how the written tokenizer pads")
    check_weights(stored(out_path), merged_by_hand(base_path, adapter_path), base_path, "Llama with a tokenizer")


def test_where_the_base_has_no_tokenizer_none_is_written(answer, tmp_path):
    for family in ("Llama", "GPT-2"):
        base_path, adapter_path, out_path, _ = folders(tmp_path / family, family)
        answer.merge_adapter(base_path, adapter_path, out_path)
        stored(out_path)
        found = [name for name in files(out_path) if "token" in name or name in ("vocab.json", "merges.txt")]
        expect.equal(found, [], what=f"the tokenizer's files in out_path, {family} base without one")


def test_where_only_the_adapter_has_a_tokenizer_none_is_written(answer, tmp_path):
    base_path, adapter_path, out_path, _ = folders(tmp_path)
    make_tokenizer(adapter_path)
    answer.merge_adapter(base_path, adapter_path, out_path)
    stored(out_path)
    found = [name for name in files(out_path) if "token" in name]
    expect.equal(found, [], what="the tokenizer's files in out_path where only the adapter has one")


def bytes_of(folder):
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def changed_files(before, after):
    return sorted(name for name in after.keys() | before.keys() if after.get(name) != before.get(name))


def test_the_folders_of_base_and_adapter_are_left_as_they_are(answer, tmp_path):
    base_path, adapter_path, out_path, _ = folders(tmp_path)
    make_tokenizer(base_path)
    for file in (base_path / "config.json", adapter_path / "adapter_config.json"):
        file.write_text(json.dumps(json.loads(file.read_text())))  # As no library writes it.
    before = {folder: bytes_of(folder) for folder in (base_path, adapter_path)}
    answer.merge_adapter(base_path, adapter_path, out_path)
    for folder in (base_path, adapter_path):
        what = f"files in {folder.name} that were changed, added or removed"
        expect.equal(changed_files(before[folder], bytes_of(folder)), [], what=what)


def test_the_bases_own_folder_is_refused_as_out_path_however_it_is_spelled(answer, tmp_path):
    base_path, adapter_path, _, _ = folders(tmp_path)
    before = bytes_of(base_path)
    link = tmp_path / "link"
    spellings = {"itself": base_path, "as a text with a slash": f"{base_path}{os.sep}"}
    spellings["with .."] = f"{adapter_path}{os.sep}..{os.sep}{base_path.name}"
    try:
        link.symlink_to(base_path, target_is_directory=True)
        spellings["as a link"] = link
        spellings["relative"] = os.path.relpath(base_path)
    except (OSError, ValueError):
        pass  # Some systems allow no links, or have no relative path between drives.
    calls = {f"out_path {how}": (base_path, path) for how, path in spellings.items()}
    calls |= {
        f"base_path {how}": (path, base_path) for how, path in spellings.items() if how in ("as a link", "relative")
    }
    came = {which: outcome(answer, base, adapter_path, out) for which, (base, out) in calls.items()}
    expect.equal(came, dict.fromkeys(calls, "ValueError"), what="what is raised for each spelling of the base's folder")
    changed = changed_files(before, bytes_of(base_path))
    expect.equal(changed, [], what="the base's files that a refused call has changed")

    def call():
        answer.merge_adapter(base_path, adapter_path, base_path)

    expect.raises(ValueError, call, what="the call with out_path = base_path", mentions=[base_path.name])


def outcome(answer, base_path, adapter_path, out_path):
    try:
        answer.merge_adapter(base_path, adapter_path, out_path)
    except NotImplementedError:
        raise
    except Exception as error:
        return type(error).__name__
    return "nothing"


def test_each_of_the_two_files_is_a_tokenizer(answer, tmp_path):
    for there, family in (("tokenizer.json", "Llama"), ("tokenizer_config.json", "GPT-2")):
        base_path, adapter_path, out_path, _ = folders(tmp_path / family, family)
        make_tokenizer(base_path, unknown="<unk>")  # the name that Llama's class looks for where no file names another
        if there == "tokenizer_config.json":  # Words and merges in files of their own, as older folders have them.
            letters = {letter: number for number, letter in enumerate("abcdefgh")} | {"<|endoftext|>": 8}
            (base_path / "vocab.json").write_text(json.dumps(letters), encoding="utf-8")
            (base_path / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
            (base_path / there).write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer"}), encoding="utf-8")
        for name in {"tokenizer.json", "tokenizer_config.json"} - {there}:
            (base_path / name).unlink()
        text = TEXT if family == "Llama" else "hedge"
        expected = AutoTokenizer.from_pretrained(base_path)(text)["input_ids"]
        answer.merge_adapter(base_path, adapter_path, out_path)
        what = f"the files in out_path, for a base with {there} but not the other"
        is_there = bool(list(out_path.glob("tokenizer*.json")))
        expect.true(is_there, what=what, actual=files(out_path), expected="those of the tokenizer too")
        written = AutoTokenizer.from_pretrained(out_path)(text)["input_ids"]
        expect.equal(written, expected, what=f"the ids of {text!r}, for a base with {there} but not the other")
