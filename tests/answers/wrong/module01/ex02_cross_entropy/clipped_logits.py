# names: logits-clipped
# breaks: "It is finite for logits between -1e4 and 1e4"
# Clips the logits so that exp can't overflow, and the loss with them.


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z = logits[keep].double().clamp(-80, 80)
    nll = z.exp().sum(1).log() - z.gather(1, targets[keep][:, None])[:, 0]
    return (nll.sum() / keep.sum().clamp(min=1)).to(logits.dtype)
