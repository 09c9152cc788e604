"""Twice the budget.

answer: cram
caught by: test-cram
message: the rules allow 300 batches
"""


def cram(model, stream, folder):
    recipe = Recipe(steps=400, learning_rate=3e-3, checkpoint_every=50)
    train(model, stream, recipe, device="cpu", checkpoints=folder, resume=True, progress=False)
