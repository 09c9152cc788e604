"""A checkpoint at the end only: a crash costs everything.

answer: cram
caught by: test-cram
message: save at least every 50 batches
"""


def cram(model, stream, folder):
    recipe = Recipe(steps=300, learning_rate=3e-3)
    train(model, stream, recipe, device="cpu", checkpoints=folder, resume=True, progress=False)
