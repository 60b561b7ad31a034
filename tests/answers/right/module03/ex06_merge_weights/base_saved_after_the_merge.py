"""merge_and_unload works on the given base too, which is then saved; the tokenizer's files are copied."""

import shutil
from pathlib import Path

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM


@torch.no_grad()
def merge(layer):
    weight, bias = layer.base.weight, layer.base.bias
    total = torch.addmm(weight.float(), layer.lora_B.float(), layer.lora_A.float(), alpha=layer.scaling)
    result = nn.Linear(*reversed(weight.shape), bias=bias is not None).to(device=weight.device, dtype=weight.dtype)
    state = {"weight": total} if bias is None else {"weight": total, "bias": bias}
    result.load_state_dict(state)
    return result.eval().requires_grad_(False)


def merge_adapter(base_path, adapter_path, out_path):
    source, target = Path(base_path), Path(out_path)
    if target.exists() and target.samefile(source):
        raise ValueError(f"{target} holds the base")
    model = AutoModelForCausalLM.from_pretrained(source)
    PeftModel.from_pretrained(model, adapter_path).merge_and_unload()
    model.save_pretrained(target)
    for file in source.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens", "vocab", "merges", "chat_template")):
            shutil.copyfile(file, target / file.name)
