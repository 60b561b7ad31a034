# names: written-where-it-reads
# breaks: "The folders `base_path` and `adapter_path` are not changed."
# The tokenizer is saved beside the adapter, too.
import copy
import os

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    new = copy.deepcopy(layer.base)
    with torch.no_grad():
        new.weight.copy_(new.weight.float() + layer.scaling * (layer.lora_B.float() @ layer.lora_A.float()))
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    model = AutoModelForCausalLM.from_pretrained(base_path)
    model = PeftModel.from_pretrained(model, adapter_path).merge_and_unload()
    model.save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer.json")):
        tokenizer = AutoTokenizer.from_pretrained(base_path)
        tokenizer.save_pretrained(out_path)
        tokenizer.save_pretrained(adapter_path)
