"""The loop: a saved file becomes a verdict on the screen, made by a process that is already warm."""
