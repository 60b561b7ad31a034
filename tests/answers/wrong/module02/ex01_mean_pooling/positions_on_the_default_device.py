# names: made-on-the-default-device
# breaks: "even if that is not torch's default device"
import torch


def mean_pool(hidden, attention_mask):
    positions = torch.arange(hidden.shape[1]).expand(len(hidden), -1)
    mask = ((positions + 1) * attention_mask > 0).unsqueeze(-1)
    summed = torch.where(mask, hidden.float(), 0.0).sum(dim=1)
    counts = mask.sum(dim=1).clamp(min=1)
    return (summed / counts).to(hidden.dtype)
