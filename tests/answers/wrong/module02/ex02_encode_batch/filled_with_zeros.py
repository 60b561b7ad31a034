# names: padded-with-zeros
# breaks: "a transformers tokenizer that has a pad token"
# Pads with 0, the pad id of BERT and not of every tokenizer.
import torch
from torch.nn.utils.rnn import pad_sequence


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("nothing to encode")
    rows = [torch.tensor(tokenizer.encode(e["text"], truncation=True, max_length=max_length)) for e in examples]
    mask = pad_sequence([torch.ones_like(r) for r in rows], batch_first=True)
    labels = torch.tensor([e["label"] for e in examples])
    return {"input_ids": pad_sequence(rows, batch_first=True), "attention_mask": mask, "labels": labels}
