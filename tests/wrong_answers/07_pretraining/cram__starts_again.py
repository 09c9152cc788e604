"""Never asks to resume: the package refuses to mix two runs.

answer: cram
caught by: test-cram
message: called again after a crash it should go on
"""


def cram(model, stream, folder):
    recipe = Recipe(steps=300, learning_rate=3e-3, checkpoint_every=50)
    train(model, stream, recipe, device="cpu", checkpoints=folder, progress=False)
