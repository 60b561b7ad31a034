# names: base-changed-in-place
# breaks: "The layer and its base are not changed, so a second call returns the same weights."
from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    layer.base.weight.data += layer.scaling * (layer.lora_B @ layer.lora_A).data
    return layer.base


def merge_adapter(base_path, adapter_path, out_path):
    if Path(base_path).resolve() == Path(out_path).resolve():
        raise ValueError(f"{out_path} is {base_path}")
    model = AutoModelForCausalLM.from_pretrained(base_path)
    PeftModel.from_pretrained(model, adapter_path).merge_and_unload().save_pretrained(out_path)
    if (Path(base_path) / "tokenizer.json").exists():
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
