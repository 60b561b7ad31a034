# names: double-bos
# breaks: "The template writes the special tokens; the tokenizer adds none."
def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    before = tokenizer.padding_side, tokenizer.pad_token
    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    prompts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True)
    flags = {m: m.training for m in model.modules()}
    model.eval()
    out = model.generate(
        **inputs,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    for m, flag in flags.items():
        m.training = flag
    tokenizer.padding_side, tokenizer.pad_token = before
    return [tokenizer.decode(o[inputs.input_ids.shape[1] :], skip_special_tokens=True) for o in out]
