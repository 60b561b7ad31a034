# names: softmax-on-logits
# breaks: "Nothing follows the second layer"


def forward(x, w1, b1, w2, b2):
    h = (x @ w1.transpose(0, 1) + b1).clamp(min=0)
    scores = h @ w2.transpose(0, 1) + b2
    exponentials = scores.exp()
    return exponentials / exponentials.sum(-1, keepdim=True)
