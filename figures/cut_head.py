"""Cutting a head: zeros in the place of what one head has mixed, before the output projection; nothing else changes."""

from figures.drawing import BLUE, GREEN, GREY, MUTED, ORANGE, RED, SMALL, Drawing

DESCRIPTION = """
Four heads of layer 1 each hand over a mixture of 16 numbers. They stand side by side, 64 numbers in all, and enter the
output projection. Head 3 is cut: a hook puts sixteen zeros in place of its numbers. The three other heads, all weights
of the model and the residual path, which carries the old vector past the heads, stay as they were.
"""
LEFT, STEP, WIDE = 30, 140, 124


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(316, title="How a head is cut", description=DESCRIPTION)
    d.text(LEFT, 22, "Four heads of layer 1", anchor="start", bold=True)
    for head in range(4):
        x, cut = LEFT + head * STEP, head == 3
        box = d.box(x, 40, WIDE, 40, f"head {head}", colour=RED if cut else BLUE, dashed=cut)
        numbers = "0  0  0 ... 0" if cut else "16 numbers"
        part = d.box(x, 132, WIDE, 40, numbers, colour=RED if cut else BLUE, strength=0.04 if cut else 0.2, bold=cut)
        d.arrow(box.bottom, part.top, colour=RED if cut else BLUE, dashed=cut, head=not cut)
        d.arrow(part.bottom, (x + WIDE / 2, 214))
    d.text(LEFT + 4 * STEP + 2, 152, "zeros, set by the\nhook: 48 + 16 = 64", anchor="start", size=SMALL, colour=MUTED)
    project = d.box(LEFT, 214, 3 * STEP + WIDE, 40, "output projection: all its weights as they were", colour=ORANGE)
    plus = d.plus(660, 234, radius=13)
    d.arrow(project.right, plus.left)
    old = d.box(600, 40, 120, 40, "old vector", colour=GREEN)
    d.arrow(old.right, (745, 60), (745, 200), (660, 200), (660, 221))
    d.text(688, 102, "residual path", size=SMALL, colour=MUTED)
    out = d.box(590, 268, 140, 36, "to the next step", colour=GREY)
    d.arrow(plus.bottom, out.top)
    return d


if __name__ == "__main__":
    draw().save(__file__)
