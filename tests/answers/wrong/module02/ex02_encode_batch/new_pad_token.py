# names: pad-token-replaced
# breaks: "special tokens and vocabulary"
import torch


def encode_batch(examples, tokenizer, max_length):
    if len(examples) == 0:
        raise ValueError("no examples")
    tokenizer.add_special_tokens({"pad_token": "<pad>"})
    texts = [example["text"] for example in examples]
    batch = tokenizer(
        texts,
        padding=True,
        truncation=True,
        max_length=max_length,
        padding_side="right",
        return_attention_mask=True,
        return_tensors="pt",
    )
    batch["labels"] = torch.tensor([example["label"] for example in examples])
    return batch
