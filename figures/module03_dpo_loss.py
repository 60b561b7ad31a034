"""The figure of the lesson "DPO loss": what beta does, on a policy of ten answers whose true rewards are known.

python figures/module03_dpo_loss.py
"""

import json
import sys
from pathlib import Path

import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path.insert(0, str(HERE.parent / "solutions" / "module03"))
from ex11_dpo_loss import dpo_loss  # noqa: E402

ANSWERS, PAIRS, STEPS = 10, 10_000, 1200
BETAS = [0.1, 0.3, 1.0, 3.0, 10.0]


def preferences(reward, generator):
    """Pairs of different answers; the better one is chosen with probability sigmoid(difference of the rewards)."""
    first = torch.randint(ANSWERS, (PAIRS,), generator=generator)
    second = (first + torch.randint(1, ANSWERS, (PAIRS,), generator=generator)) % ANSWERS
    draw = torch.rand(PAIRS, generator=generator, dtype=torch.float64)
    first_wins = draw < torch.sigmoid(reward[first] - reward[second])
    return torch.where(first_wins, first, second), torch.where(first_wins, second, first)


def train(reference, chosen, rejected, beta, use_reference=True):
    """The policy after full-batch DPO from the reference on, the losses, and the last result."""
    scores = reference.clone().requires_grad_()
    held_to = reference if use_reference else torch.zeros_like(reference)
    optimizer = torch.optim.Adam([scores], lr=0.1 / min(1.0, beta) ** 0.5)
    losses = []
    for _ in range(STEPS):
        policy = scores.log_softmax(0)
        result = dpo_loss(policy[chosen], policy[rejected], held_to[chosen], held_to[rejected], beta=beta)
        optimizer.zero_grad()
        result.loss.backward()
        optimizer.step()
        losses.append(float(result.loss.detach()))
    return scores.detach().log_softmax(0), losses, result


def kl(policy, reference):
    return float((policy.exp() * (policy - reference)).sum())


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    reward = torch.randn(ANSWERS, generator=generator, dtype=torch.float64)
    reference = torch.randn(ANSWERS, generator=generator, dtype=torch.float64).log_softmax(0)
    chosen, rejected = preferences(reward, generator)

    table = {}
    for beta in BETAS:
        policy, losses, result = train(reference, chosen, rejected, beta)
        ideal = (reference + reward / beta).log_softmax(0)
        row = {
            "first_loss": losses[0],
            "last_loss": losses[-1],
            "accuracy": float(result.accuracy),
            "reward": float((policy.exp() * reward).sum()),
            "kl": kl(policy, reference),
            "kl_ideal": kl(ideal, reference),
        }
        table[str(beta)] = row
    free, _, _ = train(reference, chosen, rejected, 1.0, use_reference=False)
    forgets = float((free - (reward - reward.mean()).log_softmax(0)).abs().max())
    at_start = {"reward": float((reference.exp() * reward).sum()), "best": float(reward.max())}
    no_reference = {"kl": kl(free, reference), "off_softmax_of_the_reward": forgets}
    step = float(torch.tensor(400.0, dtype=torch.bfloat16).nextafter(torch.tensor(500.0, dtype=torch.bfloat16))) - 400

    print(f"reward of the reference {at_start['reward']:.3f}, of the best answer {at_start['best']:.3f}")
    print("beta   first loss  last loss  accuracy  reward      KL  KL of the ideal policy")
    for beta, row in table.items():
        print(f"{beta:>4}" + "".join(f"{value:>11.4f}" for value in row.values()))
    print(f"beta 1 without the reference: KL {no_reference['kl']:.3f}; off softmax(reward) by at most {forgets:.3f}")
    print(f"bfloat16 numbers near 400 are {step:.0f} apart")
    share = float(torch.sigmoid(torch.tensor(-800.0, dtype=torch.float64)))
    print(f"sigmoid(-800) in float64: {share}")
    results = {
        "sigmoid_of_minus_800": share,
        "at_start": at_start,
        "betas": table,
        "no_reference": no_reference,
        "step_in_bfloat16_near_400": step,
    }
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    draw(results)


def draw(results):
    at_start = results["at_start"]
    table = {str(beta): results["betas"][str(beta)] for beta in BETAS}
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.5, 3.0), layout="constrained")
    distances = [row["kl"] for row in table.values()]
    rewards = [row["reward"] for row in table.values()]
    axes.plot([0, *reversed(distances)], [at_start["reward"], *reversed(rewards)], "o-", color="C0")
    labels = {"textcoords": "offset points", "fontsize": 9}
    for beta, x, y in zip(table, distances, rewards, strict=True):
        axes.annotate(f"beta {beta}", (x, y), xytext=(8, -10 if beta == "0.1" else -3), **labels)
    axes.annotate("reference", (0, at_start["reward"]), xytext=(8, -10), **labels)
    axes.margins(x=0.15, y=0.15)
    axes.axhline(at_start["best"], color="0.4", linestyle=":")
    axes.annotate(
        "the best single answer", (0, at_start["best"]), textcoords="offset points", xytext=(0, 4), fontsize=9
    )
    axes.set(xlabel="distance from the reference (KL, nats)", ylabel="mean true reward")
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
