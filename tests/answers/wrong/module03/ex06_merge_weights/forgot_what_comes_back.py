# names: merge-result-dropped
# breaks: "It receives no LoRA weights and no adapter files."
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
    base = AutoModelForCausalLM.from_pretrained(base_path)
    peft_model = PeftModel.from_pretrained(base, adapter_path)
    peft_model.merge_and_unload()
    peft_model.save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
