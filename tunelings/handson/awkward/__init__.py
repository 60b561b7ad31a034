"""What a docstring's "any" has to stand: models, encoders, tokenizers and texts that are awkward on purpose.

A check uses them wherever a contract says "any", "of any shape" or "whatever somebody has added".
"""
