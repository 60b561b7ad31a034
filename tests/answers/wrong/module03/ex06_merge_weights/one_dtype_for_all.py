# names: one-dtype-for-all
# breaks: "may have a different dtype from the base"
# addmm takes three matrices of one dtype.
import copy
import os

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    new = copy.deepcopy(layer.base)
    with torch.no_grad():
        total = torch.addmm(layer.base.weight, layer.lora_B, layer.lora_A, alpha=layer.scaling)
    new.weight = nn.Parameter(total)
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    model = AutoModelForCausalLM.from_pretrained(base_path)
    model = PeftModel.from_pretrained(model, adapter_path).merge_and_unload()
    model.save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
