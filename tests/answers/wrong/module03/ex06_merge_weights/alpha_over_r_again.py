# names: other-attributes-read
# breaks: "and is used only through these"
# The scale is worked out again, of attributes that the layer need not have.
import copy
import os

from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    new = copy.deepcopy(layer.base)
    delta = layer.lora_alpha / layer.r * (layer.lora_B.detach().float() @ layer.lora_A.detach().float())
    new.weight = nn.Parameter((layer.base.weight.detach().float() + delta).to(layer.base.weight.dtype))
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    model = AutoModelForCausalLM.from_pretrained(base_path)
    model = PeftModel.from_pretrained(model, adapter_path).merge_and_unload()
    model.save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
