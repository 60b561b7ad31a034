"""3.03 · Attach LoRA: choose the layers that learn, and let peft put the adapters there.

One call attaches them; what goes wrong is which layers it picks, and what is missing from the saved file.
"""

from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import PreTrainedModel


def attach_lora(
    model: PreTrainedModel,
    r: int,
    lora_alpha: int,
    *,
    target_modules: list[str] | None = None,
    modules_to_save: list[str] | None = None,
) -> PeftModel:
    """Return the model with one LoRA adapter attached by peft, ready to train.

    Args:
        model: a transformers causal language model or sequence classifier, of the families Llama, Phi, Qwen2 and
            GPT-2. It may be changed in place.
        r: the rank of each adapter.
        lora_alpha: the scale: an adapted layer computes `base(x) + (lora_alpha / r) * B A x`, in all layers.
        target_modules: which layers get an adapter. An entry names every module whose full name equals it or ends
            with "." + entry, as in peft: "q_proj", "mlp.up_proj", "model.layers.0.mlp.fc1". None means every
            projection of attention and MLP, in every layer of the backbone, and nothing else: no embedding, no
            `lm_head`, no classifier. The list is not changed.
        modules_to_save: modules that are trained in full and stored with the adapter; peft finds them by the ends
            of their names.

    Returns:
        A `PeftModel` whose config has the task type: CAUSAL_LM for the four language models (`LlamaForCausalLM`,
        `PhiForCausalLM`, `Qwen2ForCausalLM`, `GPT2LMHeadModel`), SEQ_CLS for the four
        `...ForSequenceClassification`.

    At the start, it answers as the model did: every B is zero, and no weight of the base is changed. The parameters
    that need a gradient are those of the adapters, of `modules_to_save` and, in a classifier, of its head
    (`score`): all of these, and only these. No bias of the base is among them. `save_pretrained` stores just these,
    so that `PeftModel.from_pretrained` on the same base gives the same answers again, including those of the head.

    Raises:
        ValueError: an entry of `target_modules` matches no module (the message contains the entry; other entries
            that match do not excuse it), the list is empty, or the model is a PeftModel or already contains LoRA
            layers. A call that raises one of these errors leaves the model without LoRA layers, or with those that
            it had, and with the same parameters trainable as before.

    Whether the returned model is in train or eval mode is not promised.

    Method: https://huggingface.co/docs/peft/developer_guides/lora and
    https://huggingface.co/docs/peft/package_reference/lora
    """
    # BEGIN SOLUTION: refuse a second adapter and names that match nothing; attach by a LoraConfig with its task.
    if isinstance(model, PeftModel) or any(isinstance(module, LoraLayer) for module in model.modules()):
        raise ValueError(f"{type(model).__name__} has LoRA layers already")
    names = [name for name, _ in model.named_modules()]
    for entry in target_modules or []:
        if not any(name == entry or name.endswith(f".{entry}") for name in names):
            raise ValueError(f"target_modules: {entry!r} matches no module of {type(model).__name__}")
    classifies = type(model).__name__.endswith("ForSequenceClassification")
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS if classifies else TaskType.CAUSAL_LM,
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear" if target_modules is None else target_modules,
        modules_to_save=modules_to_save,
    )
    return get_peft_model(model, config)
    # END SOLUTION
