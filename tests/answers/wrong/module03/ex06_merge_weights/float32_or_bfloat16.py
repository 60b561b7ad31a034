# names: float16-becomes-bfloat16
# breaks: "in the precision it was stored in"
# Half precision is taken for bfloat16, which a float16 base is not.
import copy
import os

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    new = copy.deepcopy(layer.base)
    delta = layer.scaling * (layer.lora_B.detach().float() @ layer.lora_A.detach().float())
    new.weight = nn.Parameter((layer.base.weight.detach().float() + delta).to(layer.base.weight.dtype))
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    model = AutoModelForCausalLM.from_pretrained(base_path)
    if model.dtype != torch.float32:
        model = model.to(torch.bfloat16)
    model = PeftModel.from_pretrained(model, adapter_path).merge_and_unload()
    model.save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
