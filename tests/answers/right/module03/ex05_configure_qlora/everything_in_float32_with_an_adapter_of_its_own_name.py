import torch
import transformers
from peft import LoraConfig, PeftModelForCausalLM, prepare_model_for_kbit_training
from transformers import AutoConfig, BitsAndBytesConfig


def qlora_config():
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_compute_dtype="bfloat16",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_quant_storage=torch.bfloat16,
    )


def load_for_qlora(path, r, lora_alpha):
    model_class = getattr(transformers, AutoConfig.from_pretrained(path).architectures[0])
    base = model_class.from_pretrained(path, quantization_config=qlora_config(), dtype=torch.float32)
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=r,
        lora_alpha=lora_alpha,
        target_modules=r".*\.(self_attn|mlp)\.\w*(_proj|dense|fc\d)",
        init_lora_weights="gaussian",
    )
    return PeftModelForCausalLM(prepare_model_for_kbit_training(base), lora, adapter_name="task")
