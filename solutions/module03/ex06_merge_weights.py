"""3.06 · Merge weights: add the update to the weights, and you no longer need the adapter.

A merged model is an ordinary model: it loads without peft, and no layer computes an extra product.
"""

import copy
from pathlib import Path

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer: nn.Module) -> nn.Linear:
    """Return a plain linear layer that computes what the LoRA layer computes without dropout.

        weight = base.weight + scaling * B A

    Args:
        layer: has the attributes of exercise 3.01: `base` (an `nn.Linear` with or without bias), `lora_A` `[r,
            in]`, `lora_B` `[out, r]` and `scaling`, and is used only through these. A and B are on the base's
            device and may have a different dtype from the base.

    Returns:
        A new `nn.Linear` with the base's dtype, device, shape and bias. The product and the sum are computed in at
        least float32 and rounded to the base's dtype once, at the end. Its parameters share no memory with the
        layer's.

    The layer and its base are not changed, so a second call returns the same weights.

    Method: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021), section 4.1,
    https://arxiv.org/abs/2106.09685
    """
    # BEGIN SOLUTION: copy the base, sum weight and scaled update in at least float32, cast once.
    base = layer.base
    merged = copy.deepcopy(base)
    wide = torch.promote_types(base.weight.dtype, torch.float32)
    update = layer.scaling * (layer.lora_B.to(wide) @ layer.lora_A.to(wide))  # [out, in]
    with torch.no_grad():
        merged.weight.copy_(base.weight.to(wide) + update)
    return merged
    # END SOLUTION


def merge_adapter(base_path: str | Path, adapter_path: str | Path, out_path: str | Path) -> None:
    """Merge a peft LoRA adapter into its base, and write the resulting causal language model.

    Args:
        base_path: a folder with a transformers causal language model (`config.json`, `model.safetensors`), in the
            precision it was stored in; with or without a tokenizer.
        adapter_path: a folder with a LoRA adapter that peft saved (`adapter_config.json`,
            `adapter_model.safetensors`); it may have been trained on a 4-bit copy of the base, may contain whole
            modules (`modules_to_save`) and may have other scales than alpha / r (`use_rslora`, `alpha_pattern`). The
            base that its config names is ignored: it may be moved, quantized or gone.
        out_path: a folder, created with its parents if it is missing. Other files in it are kept.

    `out_path` receives the base's config, and the weights as safetensors, under the names and in the dtype of the
    base's file: `AutoModelForCausalLM.from_pretrained(out_path)` gives a plain model of the base's class that answers
    as base and adapter do together, up to rounding. It receives no LoRA weights and no adapter files. The tokenizer is
    written too if `base_path` has one (a file `tokenizer.json` or `tokenizer_config.json`), and none if it doesn't.

    The folders `base_path` and `adapter_path` are not changed.

    Raises:
        ValueError: `out_path` is the folder `base_path`, however it is spelled (relative, with a link, with "..");
            the message contains one of the two paths, and nothing has been written.

    You may use peft and transformers for all of it.

    Method: https://huggingface.co/docs/peft/developer_guides/lora, "Merge LoRA weights into the base model"
    """
    # BEGIN SOLUTION: refuse base_path as out_path; load the base, put the adapter on, merge, save; tokenizer too.
    base_path, out_path = Path(base_path), Path(out_path)
    if out_path.resolve() == base_path.resolve():
        raise ValueError(f"out_path is the folder of the base: {out_path}")
    base = AutoModelForCausalLM.from_pretrained(base_path)  # in the dtype it was stored in
    merged = PeftModel.from_pretrained(base, adapter_path).merge_and_unload()
    merged.save_pretrained(out_path)
    if any(base_path.glob("tokenizer*.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
    # END SOLUTION
