# names: path-of-one-kind
# breaks: "path: the folder of a model that `save_pretrained` wrote"
# a str has no /: only a Path is accepted
"""3.05 · Configure QLoRA: keep the base in 4 bits, and train float32 adapters on top of it.

A few options decide how the weights are stored and computed; the order of three calls does the rest.
"""

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config() -> BitsAndBytesConfig:
    """Return the options for loading a model as in the QLoRA paper.

    Returns:
        A new `BitsAndBytesConfig` with `load_in_4bit` on and `load_in_8bit` off, the quantization type
        "nf4", double quantization on, and `torch.bfloat16` as the dtype in which the layers compute.

    Method: Dettmers et al., QLoRA: Efficient Finetuning of Quantized LLMs (2023), section 3,
    https://arxiv.org/abs/2305.14314; the options in
    https://huggingface.co/docs/transformers/main_classes/quantization
    """
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def load_for_qlora(path: str | Path, r: int, lora_alpha: int) -> PeftModel:
    """Load a causal language model in 4 bits, prepare it for training, and attach one LoRA adapter.

    Args:
        path: the folder of a model that `save_pretrained` wrote, a causal language model of any family whose
            projections are `nn.Linear` (such as Llama or Phi). Its files are only read.
        r: the rank of each adapter.
        lora_alpha: the scale: an adapted layer adds `(lora_alpha / r) * B A x` to the output of the base.

    Returns:
        A `PeftModel` of task type CAUSAL_LM, in which

        - every projection of attention and MLP is a `Linear4bit` of bitsandbytes with the options of
          `qlora_config()`. Its weights equal those of the file up to the error of NF4 (about 9% of the norm of the
          matrix) and take half a byte each, plus one byte for each block of 64 weights, plus four bytes for each
          256 blocks.
        - everything else of the base is not quantized: `lm_head`, embeddings, norms and biases have the values from
          the file, in float32.
        - every one of these projections, and no other module, has an adapter of rank r whose A and B are float32. B
          is zero: the model answers the same with the adapter as without it.
        - A and B of the adapters need a gradient, and no other parameter does.
        - gradient checkpointing is on: in train mode each decoder layer runs again during the backward pass.

    The model has not run a forward pass when it is returned. Whether it is in train or eval mode is not promised
    (`from_pretrained` returns eval mode): call `.train()` before you train. The dropout before the adapters is your
    choice. The model may be on a GPU or on the CPU, whichever bitsandbytes finds. You may use transformers, peft
    and bitsandbytes for all of it, and they may warn.

    Method: https://arxiv.org/abs/2305.14314, section 3, and
    https://huggingface.co/docs/peft/developer_guides/quantization
    """
    if not (path / "config.json").is_file():
        raise FileNotFoundError(path)

    model = AutoModelForCausalLM.from_pretrained(path, quantization_config=qlora_config())
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=True)
    return get_peft_model(
        model, LoraConfig(r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    )
