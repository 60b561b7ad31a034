# names: names-of-one-family
# breaks: "a causal language model of any family whose projections are `nn.Linear`"
# Llama and Phi are thought of, Phi-3 with its fused projections is not.
import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
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
    model = prepare_model_for_kbit_training(model)
    names = ["q_proj", "k_proj", "v_proj", "o_proj", "dense", "gate_proj", "up_proj", "down_proj", "fc1", "fc2"]
    config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=names, task_type="CAUSAL_LM")
    return get_peft_model(model, config)
