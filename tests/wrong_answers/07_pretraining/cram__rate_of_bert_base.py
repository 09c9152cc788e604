"""BERT-base's learning rate, for a model 64 wide.

answer: cram
caught by: test-cram
message: try another learning rate
"""


def cram(model, stream, folder):
    recipe = Recipe(steps=300, learning_rate=1e-4, checkpoint_every=50)
    train(model, stream, recipe, device="cpu", checkpoints=folder, resume=True, progress=False)
