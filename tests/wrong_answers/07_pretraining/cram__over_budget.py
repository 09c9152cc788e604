"""Twice the budget.

answer: cram
caught by: test-cram
message: the rules allow 600 batches
"""


def cram(model, stream, folder):
    recipe = Recipe(steps=700, learning_rate=3e-3, checkpoint_every=50)
    train(model, stream, recipe, device="cpu", checkpoints=folder, resume=True, progress=False)
