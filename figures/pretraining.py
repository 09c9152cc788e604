"""One step of pretraining as a ring of six lines, and what a long run needs around it."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, PINK, SKY, SMALL, Drawing

DESCRIPTION = """
One step of pretraining, drawn as a ring of the six numbered lines of the loop, in their order. Line 1 says how far: the
learning rate, which rises first and then falls. Line 2 forgets the gradients of the last step. Line 3, forward: a
batch, here the sentence "She looked at [MASK] brother." whose label is "her", comes in from outside and becomes a loss,
the mean of minus ln q at the scored words. Line 4, backward, gives the gradients, one number for each weight. Line 5
clips: all gradients together are made no longer than 1. Line 6 steps: AdamW moves the weights. An arrow leads from line
6 back to line 1: the same again, with the next batch. Around the ring, now and then: a checkpoint keeps the weights,
AdamW's means, the number of the step, the place in the data and the random states; and held-out text tells whether the
distance to the best possible still falls.
"""
LEFT, MIDDLE, RIGHT, WIDE, TALL = 20, 292, 564, 216, 64
UPPER, LOWER, AROUND = 124, 236, 366


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(450, title="One step of pretraining, and what goes around it", description=DESCRIPTION)
    d.text(LEFT, 22, "One step", anchor="start", bold=True)
    ring = "six lines; a run is the same ring, hundreds or thousands of times"
    d.text(LEFT + 80, 22, ring, anchor="start", size=SMALL, colour=MUTED)
    batch = d.box(RIGHT, 16, WIDE, TALL + 8, "She looked at\n[MASK] brother.\nlabel: her", colour=PINK, size=14)
    rate = d.box(LEFT, UPPER, WIDE, TALL, "1  how far\nlearning rate: up, then down", colour=ORANGE, size=14)
    forget = d.box(MIDDLE, UPPER, WIDE, TALL, "2  forget\nthe last step's gradients", colour=SKY, size=14)
    forward = d.box(
        RIGHT, UPPER, WIDE, TALL, "3  forward\nloss: mean of \N{MINUS SIGN}ln *q*(her), ...", colour=BLUE, size=14
    )
    backward = d.box(RIGHT, LOWER, WIDE, TALL, "4  backward\na gradient for each weight", colour=SKY, size=14)
    clip = d.box(MIDDLE, LOWER, WIDE, TALL, "5  clip\nlength of all: 1 at most", colour=SKY, size=14)
    step = d.box(LEFT, LOWER, WIDE, TALL, "6  step\nAdamW moves the weights", colour=GREEN, size=14)
    d.arrow(batch.bottom, forward.top)
    d.arrow(rate.right, forget.left)
    d.arrow(forget.right, forward.left)
    d.arrow(forward.bottom, backward.top)
    d.arrow(backward.left, clip.right)
    d.arrow(clip.left, step.right)
    d.arrow(step.top, rate.bottom, colour=INK, width=2.8)
    d.text(LEFT + WIDE / 2 + 10, 216, "and again, with the next batch", anchor="start", size=SMALL, colour=MUTED)

    d.text(LEFT, 346, "Now and then", anchor="start", bold=True)
    saved = d.box(LEFT, AROUND, 488, TALL, "checkpoint: weights, AdamW's means, number of the step,\n"
                  "place in the data, random states", strength=0.1, dashed=True, size=14)  # fmt: skip
    held = d.box(RIGHT, AROUND, WIDE, TALL, "held-out text:\nhow far from the floor?", colour=GREY, strength=0.1,
                 dashed=True, size=14)  # fmt: skip
    d.arrow((LEFT + 160, step.y + TALL), (LEFT + 160, saved.y), dashed=True)
    d.arrow((LEFT + 190, step.y + TALL), (LEFT + 190, 330), (held.x + WIDE / 2, 330), held.top, dashed=True)
    return d


if __name__ == "__main__":
    draw().save(__file__)
