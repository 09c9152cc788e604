"""One step of pretraining as a ring of six lines, and what a long run needs around it."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, PINK, SKY, SMALL, Drawing

DESCRIPTION = """
One step of pretraining, drawn as a ring. A batch, here the sentence "She looked at [MASK] brother." whose label is
"her", goes into line 3, forward, which gives a loss, the mean of minus ln q at the hidden words. Lines 2 and 4: the
old gradients are forgotten and backward gives new ones, one number for each weight. Line 5 clips: all gradients
together are made no longer than 1. Line 6 steps: AdamW moves the weights, as far as line 1 says, the learning rate,
which rises first and then falls. An arrow leads from line 6 back to line 3: the same again, with the next batch. Around
the ring, now and then: a checkpoint keeps the weights, AdamW's means, the number of the step, the place in the data and
the random states; and held-out text tells whether the distance to the best possible still falls.
"""
LEFT, MIDDLE, RIGHT, WIDE, TALL = 20, 292, 564, 216, 74


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(424, title="One step of pretraining, and what goes around it", description=DESCRIPTION)
    d.text(LEFT, 22, "One step", anchor="start", bold=True)
    d.text(LEFT + 80, 22, "six lines; a run is the same ring, some thousand times", anchor="start", size=SMALL,
           colour=MUTED)  # fmt: skip
    batch = d.box(LEFT, 44, WIDE, TALL, "She looked at\n[MASK] brother.\nlabel: her", colour=PINK, size=14)
    forward = d.box(MIDDLE, 44, WIDE, TALL, "3  forward\nloss: mean of -ln *q*(her), ...", colour=BLUE, size=14)
    backward = d.box(RIGHT, 44, WIDE, TALL, "2  forget the old gradients\n4  backward: new ones", colour=SKY, size=14)
    rate = d.box(LEFT, 186, WIDE, TALL, "1  how far\nlearning rate: up, then down", colour=ORANGE, size=14)
    step = d.box(MIDDLE, 186, WIDE, TALL, "6  step\nAdamW moves the weights", colour=GREEN, size=14)
    clip = d.box(RIGHT, 186, WIDE, TALL, "5  clip\nlength of all: 1 at most", colour=SKY, size=14)
    d.arrow(batch.right, forward.left)
    d.arrow(forward.right, backward.left)
    d.arrow(backward.bottom, clip.top)
    d.arrow(clip.left, step.right)
    d.arrow(rate.right, step.left)
    d.arrow(step.top, forward.bottom, colour=INK, width=2.8)
    d.text(MIDDLE + WIDE / 2 + 10, 152, "and again, with the next batch", anchor="start", size=SMALL, colour=MUTED)

    d.text(LEFT, 312, "Now and then", anchor="start", bold=True)
    saved = d.box(LEFT, 330, 488, TALL, "checkpoint: weights, AdamW's means, number of the step,\n"
                  "place in the data, random states", strength=0.1, dashed=True, size=14)  # fmt: skip
    held = d.box(RIGHT, 330, WIDE, TALL, "held-out text:\nhow far from the floor?", colour=GREY, strength=0.1,
                 dashed=True, size=14)  # fmt: skip
    d.arrow((MIDDLE + 70, step.y + TALL), (MIDDLE + 70, saved.y), dashed=True)
    d.arrow((MIDDLE + 160, step.y + TALL), (MIDDLE + 160, 294), (held.x + WIDE / 2, 294), held.top, dashed=True)
    return d


if __name__ == "__main__":
    draw().save(__file__)
