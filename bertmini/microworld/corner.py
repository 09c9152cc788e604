"""A corner of the world for writing: one sentence to a line, in which words far apart must agree.

The rules are the default world's, cut down to one sentence: a group of things near others of the same topic, and a deed
whose verb fits its object and whose pronoun fits its hero. Every line can be graded by `Floor.likelihood`, and said in
the twin language. Taught in chapter 12.
"""

import random

from bertmini.microworld.twin import Interpreter
from bertmini.microworld.world import World

CORNER = """
feature topic   = 0.5 river | 0.3 garden | 0.2 office
feature number  = one | many
feature pronoun = she | he
feature work    = read | drank | fed | fixed

document line 1 = 0.5 Scene[topic] | 0.5 Deed[pronoun work]

Scene[topic]      = Group[topic number] Chain[topic] Be[number] State[topic] .
Chain[topic]      = 0.5 Near Group[topic number] | 0.5 Near Group[topic number] Near Group[topic number2]
Group[topic one]  = the Noun[topic]
Group[topic many] = the Noun[topic] ##s
Be[one]           = 0.6 was | 0.3 is | 0.1 seems
Be[many]          = 0.6 were | 0.3 are | 0.1 seem
Near              = zipf near | behind | under
Noun[river]       = zipf boat | bank | seal | heron | bridge
Noun[garden]      = zipf rose | mole | snail | gnome | hedge
Noun[office]      = zipf letter | mole | seal | bank | desk
State[river]      = 0.6 wet | 0.4 adrift
State[garden]     = 0.6 asleep | 0.4 muddy
State[office]     = 0.6 late | 0.4 missing

Deed[pronoun work] = Hero[pronoun] and Own[pronoun] Pet $work the Size Object[work] When .
Hero[she]     = zipf ada | bea | clara
Hero[he]      = zipf bruno | hugo | otto
Own[she]      = her
Own[he]       = his
Pet           = zipf goat | cat | parrot
Size          = 0.5 old | 0.3 wrong | 0.2 last
Object[read]  = 0.5 map | 0.3 book | 0.2 poem
Object[drank] = 0.5 tea | 0.3 milk | 0.2 coffee
Object[fed]   = 0.5 goat | 0.3 cat | 0.2 parrot
Object[fixed] = 0.5 clock | 0.3 lamp | 0.2 kettle
When          = 0.5 at dawn | 0.3 at noon | 0.2 on sunday
"""


def tell_lines(world: World, count: int, seed: int) -> list[tuple[list[str], list[str]]]:
    """Draw lines of the corner, each with its one translation into the twin language: pieces of both."""
    interpreter, draw = Interpreter(world.graph), random.Random(seed)
    found = world.derivations("line")
    drawn = draw.choices(found, [derivation.probability for derivation in found], k=count)
    return [interpreter.say(derivation.sentences[0], draw) for derivation in drawn]
