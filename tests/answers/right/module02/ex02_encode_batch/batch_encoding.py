"""The tokenizer's own BatchEncoding; its side is set for the call and set back."""


def encode_batch(examples, tokenizer, max_length):
    if len(examples) == 0:
        raise ValueError("no examples")
    side, tokenizer.padding_side = tokenizer.padding_side, "right"
    try:
        texts = [e["text"] for e in examples]
        batch = tokenizer(texts, padding=True, truncation=True, max_length=max_length, return_attention_mask=True)
    finally:
        tokenizer.padding_side = side
    batch["labels"] = [e["label"] for e in examples]
    return batch.convert_to_tensors("pt")
