# names: mask-from-the-pad-id
# breaks: "even if texts contain the pad token as well"
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("nothing to encode")
    rows = [torch.tensor(tokenizer.encode(e["text"], truncation=True, max_length=max_length)) for e in examples]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=tokenizer.pad_token_id)
    labels = torch.tensor([e["label"] for e in examples])
    return {"input_ids": ids, "attention_mask": ids.ne(tokenizer.pad_token_id).long(), "labels": labels}
