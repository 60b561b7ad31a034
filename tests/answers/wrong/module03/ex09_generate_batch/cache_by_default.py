# names: cache-taken-for-granted
# breaks: "a transformers causal language model, with `generate`, in any mode"
# a model whose config switches the cache off
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
    rows = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    longest = max(len(row) for row in rows)  # max() of nothing is a ValueError.
    end = tokenizer.eos_token_id  # It can serve as padding, since the mask hides it.
    ids = torch.tensor([[end] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])

    modes = {module: module.training for module in model.modules()}
    model.eval()
    step, cache, columns = ids, None, [ids]
    ended = torch.zeros(len(rows), dtype=torch.bool)
    with torch.no_grad():
        while len(columns) <= max_new_tokens and not ended.all():
            places = (mask.cumsum(1) - 1).clamp(min=0)[:, -step.shape[1] :]
            result = model(step, attention_mask=mask, position_ids=places, past_key_values=cache)
            cache, step = result.past_key_values, result.logits[:, -1:].argmax(-1)
            step[ended] = end
            ended |= step[:, 0] == end
            columns.append(step)
            mask = torch.cat([mask, torch.ones_like(step)], dim=1)
    output = torch.cat(columns, dim=1)
    for module, training in modes.items():
        module.training = training
    return tokenizer.batch_decode(output[:, longest:], skip_special_tokens=True)
