# names: float16-not-converted
# breaks: "norms and biases have the values from the file, in float32"
# Only what is bfloat16 is made float32; a file may hold float16.
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def load_for_qlora(path, r, lora_alpha):
    model = AutoModelForCausalLM.from_pretrained(path, quantization_config=qlora_config())
    for parameter in model.parameters():
        parameter.requires_grad = False
        if parameter.dtype == torch.bfloat16:
            parameter.data = parameter.data.float()
    model.gradient_checkpointing_enable()
    model.enable_input_require_grads()
    config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config)
