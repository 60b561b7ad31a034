# names: exp-of-bits
# breaks: "exp(total / (T - 1)) as a Python float"
import torch


def perplexity(model, input_ids, stride, context):
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride} is not below {context}")
    ids = input_ids.reshape(1, -1)
    n = ids.shape[1]
    if n < 2:
        raise ValueError("text too short")
    flags = [(m, m.training) for m in model.modules()]
    model.eval()
    bits, done, start = [], 1, 0
    with torch.no_grad():
        while done < n:
            end = min(start + context, n)
            p = torch.log_softmax(model(ids[:, start:end]).logits[0].float(), dim=-1) / torch.log(torch.tensor(2.0))
            for i in range(done, end):
                bits.append(-p[i - 1 - start, ids[0, i]])
            done = end
            start += stride
    for m, t in flags:
        m.training = t
    return torch.stack(bits).mean().exp().item()
