# names: positions-count-padding
# breaks: "the answer to a conversation does not depend on the others in its batch"
# No position_ids, so the model numbers the columns.
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
    prompts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    rows = [tokenizer(p, add_special_tokens=False).input_ids for p in prompts]
    eos, width = tokenizer.eos_token_id, max(len(row) for row in rows)
    ids = torch.tensor([[eos] * (width - len(row)) + row for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    new = [[] for _ in rows]
    done = [False] * len(rows)
    with torch.inference_mode():
        for _ in range(max_new_tokens):
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
            best = logits[:, -1].argmax(dim=-1)
            for i, token in enumerate(best.tolist()):
                done[i] = done[i] or token == eos
                if not done[i]:
                    new[i].append(token)
            if all(done):
                break
            ids = torch.cat([ids, best[:, None]], dim=1)
            mask = torch.cat([mask, torch.ones_like(best)[:, None]], dim=1)
    for module, mode in modes.items():
        module.training = mode
    return [tokenizer.decode(tokens, skip_special_tokens=True) for tokens in new]
