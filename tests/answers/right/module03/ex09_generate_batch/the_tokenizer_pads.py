"""The tokenizer pads, with its settings borrowed for the call and given back."""

from contextlib import contextmanager


@contextmanager
def borrowed(model, tokenizer):
    side, pad = tokenizer.padding_side, tokenizer.pad_token
    was_training = [module for module in model.modules() if module.training]
    tokenizer.padding_side = "left"
    if pad is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.eval()
    try:
        yield
    finally:
        tokenizer.padding_side, tokenizer.pad_token = side, pad
        for module in was_training:
            module.training = True


def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("conversations is empty")
    with borrowed(model, tokenizer):
        texts = tokenizer.apply_chat_template(conversations, tokenize=False, add_generation_prompt=True)
        batch = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt").to(model.device)
        output = model.generate(
            **batch,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        start = batch["input_ids"].shape[1]
        return [tokenizer.decode(row[start:], skip_special_tokens=True) for row in output]
