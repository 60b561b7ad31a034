# names: right-padding
# breaks: "each a list of messages (`role` and `content`) of its own length"
def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    texts = tokenizer.apply_chat_template(conversations, tokenize=False, add_generation_prompt=True)
    batch = tokenizer(texts, padding=True, add_special_tokens=False, return_tensors="pt")
    model.eval()
    out = model.generate(
        **batch,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
