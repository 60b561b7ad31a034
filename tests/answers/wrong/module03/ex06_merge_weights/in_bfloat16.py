# names: summed-in-half-precision
# breaks: "The product and the sum are computed in at least float32"
import copy
from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    new = copy.deepcopy(layer.base)
    kind = new.weight.dtype
    update = (layer.lora_B.to(kind) @ layer.lora_A.to(kind)) * layer.scaling
    new.weight.data = layer.base.weight.data + update.data
    return new


def merge_adapter(base_path, adapter_path, out_path):
    base_path, out_path = Path(base_path), Path(out_path)
    if out_path.exists() and out_path.samefile(base_path):
        raise ValueError(f"out_path {out_path} is the base")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_path), adapter_path)
    model.merge_and_unload().save_pretrained(out_path)
    if (base_path / "tokenizer_config.json").is_file():
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
