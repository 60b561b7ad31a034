# names: prompt-cut
# breaks: "A prompt is the conversation as the template renders it with the generation prompt."
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def generate_batch(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: list[list[dict[str, str]]],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    prompts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    rows = [tokenizer(prompt, add_special_tokens=False)["input_ids"][-1024:] for prompt in prompts]
    longest = max(len(row) for row in rows)  # max() of nothing is a ValueError.
    end = tokenizer.eos_token_id  # It can serve as padding, since the mask hides it.
    ids = torch.tensor([[end] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])

    modes = {module: module.training for module in model.modules()}
    model.eval()
    output = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=end,
    )
    for module, training in modes.items():
        module.training = training
    return tokenizer.batch_decode(output[:, longest:], skip_special_tokens=True)
