# names: unlisted
# breaks: "computes what the LoRA layer computes without dropout"
# What the layer answers to the unit vectors is its weight, in eval mode; here its dropout is still on.
import copy
import os

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def merge(layer):
    new = copy.deepcopy(layer.base)
    unit = torch.eye(layer.base.in_features, dtype=layer.base.weight.dtype)
    with torch.no_grad():
        new.weight.copy_((layer(unit) - layer(torch.zeros_like(unit))).T)
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.exists(out_path) and os.path.samefile(base_path, out_path):
        raise ValueError(out_path)
    model = AutoModelForCausalLM.from_pretrained(base_path)
    PeftModel.from_pretrained(model, adapter_path).merge_and_unload().save_pretrained(out_path)
