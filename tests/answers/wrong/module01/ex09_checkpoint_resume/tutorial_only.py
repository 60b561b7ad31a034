# names: unlisted
# breaks: "train and eval modes stay as they are"
"""What the recipe shows: model and optimizer, in place, and eval mode at the end."""

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    torch.save(
        {"step": step, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict()}, path
    )


def load_checkpoint(path, model, optimizer, scheduler):
    checkpoint = torch.load(path, weights_only=True)
    model.load_state_dict(checkpoint["model_state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
    model.eval()
    return checkpoint["step"]
