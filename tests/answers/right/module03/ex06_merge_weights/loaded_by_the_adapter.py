"""The adapter is loaded under a name of its own; shards are small; the layer is merged through its transposes."""

import os

from peft import PeftConfig, PeftModel
from torch import nn, no_grad
from torch.nn.functional import linear
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    wide = layer.lora_A.detach().T.float()  # [in, r]
    columns = linear(wide, layer.lora_B.detach().float()) * layer.scaling  # [in, out]
    fused = nn.Linear(layer.base.in_features, layer.base.out_features, bias=layer.base.bias is not None)
    fused = fused.to(layer.base.weight)
    with no_grad():
        for new, old in zip(fused.parameters(), layer.base.parameters(), strict=True):
            new.copy_(old)
        fused.weight.copy_(fused.weight.float().add(columns.T))
    return fused


def same_folder(one, other):
    return os.path.exists(other) and os.path.samefile(one, other)


def merge_adapter(base_path, adapter_path, out_path):
    if same_folder(base_path, out_path):
        raise ValueError(f"out_path and base_path are both {os.fspath(base_path)}")
    config = PeftConfig.from_pretrained(adapter_path)
    config.base_model_name_or_path = str(base_path)
    plain = AutoModelForCausalLM.from_pretrained(base_path, dtype="auto", local_files_only=True)
    adapted = PeftModel.from_pretrained(plain, adapter_path, adapter_name="trained", config=config)
    adapted.merge_and_unload(progressbar=False, adapter_names=["trained"]).save_pretrained(
        out_path, max_shard_size="10KB"
    )
    if any(os.path.isfile(os.path.join(base_path, name)) for name in ("tokenizer.json", "tokenizer_config.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
