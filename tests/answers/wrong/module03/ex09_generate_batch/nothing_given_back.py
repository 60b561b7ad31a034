# names: padding-side-left-changed
# breaks: "the tokenizer's settings and vocabulary, and the conversations are what they were on entry"
def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.eos_token
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    texts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    batch = tokenizer(texts, padding=True, add_special_tokens=False, return_tensors="pt").to(model.device)
    out = model.generate(
        **batch,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    for m, training in modes:
        m.training = training
    return tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
