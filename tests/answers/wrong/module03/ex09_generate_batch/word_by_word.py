# names: decoded-one-by-one
# breaks: "as `tokenizer.decode` gives them"
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def generate_batch(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: list[list[dict[str, str]]],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    if not conversations:
        raise ValueError("no conversations")
    prompts = []
    for conversation in conversations:
        text = tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
        prompts.append(tokenizer(text, add_special_tokens=False)["input_ids"])
    eos = tokenizer.eos_token_id
    pad = eos if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    longest = max(map(len, prompts))
    ids = torch.tensor([[pad] * (longest - len(p)) + p for p in prompts], device=model.device)
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=model.device)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            output = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                eos_token_id=eos,
                pad_token_id=pad,
            )
    finally:
        for module, mode in modes.items():
            module.training = mode
    texts = []
    for row in output[:, longest:].tolist():
        words = [tokenizer.decode([token], skip_special_tokens=True) for token in row]
        texts.append(" ".join(word for word in words if word))
    return texts
