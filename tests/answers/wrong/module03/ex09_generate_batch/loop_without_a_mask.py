# names: no-attention-mask
# breaks: "the answer to a conversation does not depend on the others in its batch"
import torch


@torch.no_grad()
def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    end = tokenizer.eos_token_id
    rows = [tokenizer.apply_chat_template(c, add_generation_prompt=True)["input_ids"] for c in conversations]
    width = max(len(r) for r in rows)
    ids = torch.tensor([[end] * (width - len(r)) + r for r in rows])
    modes = [m.training for m in model.modules()]
    model.eval()
    done = torch.zeros(len(rows), dtype=torch.bool)
    for _ in range(max_new_tokens):
        token = model(ids).logits[:, -1].argmax(-1)
        token[done] = end
        done |= token == end
        ids = torch.cat([ids, token[:, None]], 1)
        if done.all():
            break
    for m, mode in zip(model.modules(), modes, strict=True):
        m.training = mode
    return tokenizer.batch_decode(ids[:, width:], skip_special_tokens=True)
