"""The world itself: every word, sentence and document that the microworld can say, with its probability.

The idea: a language so small that its probabilities are known, and so rich that a BERT has something to learn. It is
written as text, because a reader should be able to read it; `notation` turns the text into rules and refuses a wrong
one by its line.

How to read it. `A = x | y` says that `A` is `x` or `y`, equally often; a number in front of an alternative is its
probability, and `zipf` gives the alternatives weights 1, 1/2, 1/3 ... A lower-case word stands for itself (one word
piece), a capitalised one for a rule. Rules carry features in brackets: a **feature** is a thing that the sentence or
the document remembers. A feature that is not given from outside is drawn when it is first needed, once for the whole
alternative; that is how `Group[topic number] ... Be[number]` agree over a distance. `!mood` is a mood other than
`mood`, `number2` is a second, independent number, `$agent` is the value of the feature as a word, `~` is nothing. `as
PER` makes an entity of what the rule says. In a document `/` parts sentences and `//` the two texts of a task. A star
marks the sentence that a task asks about: the topic sentence of a story, or the fact that a question is after, in which
`^Pet` is then the answer. A `document` is part of the pretraining text, a `task` is not.

Where each phenomenon is: right-context cue `Act` ($work is known from its Object), long agreement with attractors
`Scene`, polysemy `Noun` (bank, seal, mole), pronouns `Opening` / `Act`, discourse order `Marker`, negation and the open
lexicon `Praise`, names `News`, questions `Question` / `Fact`, paraphrase `Report`, topic sentences `Moral`, skew
`zipf`.
Source: the phenomena are those that the BERT literature argues about; the world is our own.
Left out on purpose: recursion, truth, and any sense that a gnome is more than a noun.
Taught in chapter 00.
"""

DEFAULT_GRAMMAR = """
# ------------------------------------------------------------------ what is remembered
feature topic   = 0.5 river | 0.3 garden | 0.2 office
feature number  = one | many
feature pronoun = she | he
feature work    = read | drank | fed | fixed
feature turn    = second | last
feature mood    = good | bad
feature type    = human | place | firm
feature who     = ada | bea | clara | bruno | hugo | otto
feature girl    = ada | bea | clara
feature boy     = bruno | hugo | otto
feature fact    = home | pet
feature agent   = cook | clerk | judge | baker
feature deed    = sell | find | lose | take
feature thing   = clock | lamp | kettle | map

# ------------------------------------------------------------------ documents: what pretraining reads
document story 0.62 = 0.30 Moral[topic]* / Opening[topic pronoun] / Act[pronoun second]
                    | 0.10 Moral[topic]* / Opening[topic pronoun] / Scene[topic] / Act[pronoun last]
                    | 0.10 Moral[topic]* / Opening[topic pronoun] / Act[pronoun second] / Act[pronoun last]
                    | 0.10 Opening[topic pronoun] / Moral[topic]*
                    | 0.10 Opening[topic pronoun] / Scene[topic] / Moral[topic]*
                    | 0.15 Opening[topic pronoun] / Act[pronoun second] / Scene[topic] / Moral[topic]*
                    | 0.15 Opening[topic pronoun] / Act[pronoun second] / Moral[topic]*
document review 0.38 = Claim[mood] / Verdict[mood]

# ------------------------------------------------------------------ other texts: what pretraining never reads
task news   = News[type pronoun] / Comment[type pronoun]
task quiz   = 0.4 Question[who fact] / Fact[who fact]
            | 0.3 Fact[boy fact] / Fact[girl fact2] / Again[she !fact2]
            | 0.3 Fact[girl fact] / Fact[boy fact2] / Again[he !fact2]
task report = Report[agent deed thing] / Echo[agent deed thing]
held out = agent=judge deed=take | agent=cook deed=lose | agent=clerk deed=sell | agent=baker deed=find

# ------------------------------------------------------------------ tasks: what fine-tuning reads
task polarity = 0.95 Claim[mood] | 0.05 Claim[!mood]
task fits     = 0.5 Claim[mood] // Verdict[mood] | 0.5 Claim[mood] // Verdict[!mood]
task topic    = Opening[topic pronoun]
task tagging  = 0.5 News[type pronoun] | 0.5 News[type pronoun] / Comment[type pronoun]
task chain    = Far[topic]
task match    = 0.4 Report[agent deed thing] // Report[agent deed thing]
              | 0.1 Report[agent deed thing] // Report[agent deed !thing]
              | 0.1 Report[agent deed thing] // Report[agent !deed thing]
              | 0.1 Report[agent deed thing] // Report[!agent deed thing]
              | 0.1 Report[agent deed thing] // Report[agent !deed !thing]
              | 0.1 Report[agent deed thing] // Report[!agent deed !thing]
              | 0.1 Report[agent deed thing] // Report[!agent !deed !thing]
task answer   = 2/18 Question[girl fact] // Fact[girl fact]* / Fact[boy fact2] / Again[he !fact2]
              | 1/18 Question[girl fact] // Fact[boy fact2] / Fact[girl fact]* / Again[he !fact2]
              | 1/18 Question[girl fact] // Fact[boy fact2] / Fact[girl !fact] / Again[she fact]*
              | 1/18 Question[girl fact] // Fact[girl !fact] / Fact[boy fact2] / Again[she fact]*
              | 1/18 Question[girl fact] // Fact[girl !fact] / Fact[boy !fact] / Someone[fact]*
              | 1/18 Question[girl fact] // Fact[girl !fact] / Fact[boy !fact] / Someone[fact]
              | 1/18 Question[girl fact] // Fact[girl !fact] / Fact[boy fact2] / Again[he !fact2]
              | 1/18 Question[!girl fact] // Fact[girl fact] / Fact[boy fact2] / Again[she !fact]
              | 2/18 Question[boy fact] // Fact[boy fact]* / Fact[girl fact2] / Again[she !fact2]
              | 1/18 Question[boy fact] // Fact[girl fact2] / Fact[boy fact]* / Again[she !fact2]
              | 1/18 Question[boy fact] // Fact[girl fact2] / Fact[boy !fact] / Again[he fact]*
              | 1/18 Question[boy fact] // Fact[boy !fact] / Fact[girl fact2] / Again[he fact]*
              | 1/18 Question[boy fact] // Fact[boy !fact] / Fact[girl !fact] / Someone[fact]*
              | 1/18 Question[boy fact] // Fact[boy !fact] / Fact[girl !fact] / Someone[fact]
              | 1/18 Question[boy fact] // Fact[boy !fact] / Fact[girl fact2] / Again[she !fact2]
              | 1/18 Question[!boy fact] // Fact[boy fact] / Fact[girl fact2] / Again[he !fact]

# ------------------------------------------------------------------ stories: topic, order, pronouns, agreement
Moral[topic]              = it was Sort day Spot[topic] .
Sort                      = 0.4 a long | 0.3 a slow | 0.2 another | 0.1 the last
Spot[river]               = 0.7 on the river | 0.3 near the river
Spot[garden]              = 0.7 in the garden | 0.3 near the garden
Spot[office]              = 0.7 at the office | 0.3 near the office
Opening[topic pronoun]    = 0.2 Hero[pronoun] Along[pronoun] Saw Group[topic number] .
                          | 0.8 Hero[pronoun] Along[pronoun] Saw Group[topic number] Spot[topic] .
Hero[pronoun] as PER      = First[pronoun]
First[she]                = 0.3 ada | 0.3 bea | 0.3 clara | 0.1 robin
First[he]                 = 0.3 bruno | 0.3 hugo | 0.3 otto | 0.1 robin
Along[pronoun]            = 0.5 ~ | 0.5 and Own[pronoun] Pet
Own[she]                  = her
Own[he]                   = his
Saw                       = zipf saw | counted | missed | drew
When                      = 0.5 at dawn | 0.3 at noon | 0.2 on sunday
Act[pronoun turn]         = 0.4 Marker[turn] $pronoun $work the Size Object[work] When .
                          | 0.6 Marker[turn] $pronoun $work Own[pronoun] Size Object[work] When .
Marker[second]            = 0.6 then | 0.3 next | 0.1 later
Marker[last]              = 0.7 finally | 0.2 later | 0.1 then
Size                      = 0.5 old | 0.3 wrong | 0.2 last
Object[read]              = 0.5 map | 0.3 book | 0.2 poem
Object[drank]             = 0.5 tea | 0.3 milk | 0.2 coffee
Object[fed]               = 0.5 goat | 0.3 cat | 0.2 parrot
Object[fixed]             = 0.5 clock | 0.3 lamp | 0.2 kettle
Scene[topic]              = Group[topic number] Chain[topic] Be[number] State[topic] .
Chain[topic]              = 0.4 ~ | 0.4 Near Group[topic number]
                          | 0.2 Near Group[topic number] Near Group[topic number2]
Far[topic]                = Group[topic number] Near Group[topic number2] Near Group[topic number3]
                            Near Group[topic number4] Be[number] State[topic] .
Near                      = zipf near | behind | under
Group[topic one]          = the Noun[topic]
Group[topic many]         = the Noun[topic] ##s
Be[one]                   = 0.6 was | 0.3 is | 0.1 seems
Be[many]                  = 0.6 were | 0.3 are | 0.1 seem
Noun[river]               = zipf boat | bank | seal | heron | bridge
Noun[garden]              = zipf rose | mole | snail | gnome | hedge
Noun[office]              = zipf letter | mole | seal | bank | desk
State[river]              = 0.6 wet | 0.4 adrift
State[garden]             = 0.6 asleep | 0.4 muddy
State[office]             = 0.6 late | 0.4 missing

# ------------------------------------------------------------------ reviews: negation, and eighty adjectives
Claim[mood]    = the Item was Praise[mood] .
Praise[mood]   = 0.7 Quality[mood] | 0.3 not Quality[!mood]
Verdict[mood]  = so the Mind[mood] Public Did[mood] it Way[mood] .
Item           = 0.4 soup | 0.3 play | 0.2 speech | 0.1 hotel
Public         = zipf critics | guests | neighbours
Mind[good]     = 0.5 happy | 0.3 proud | 0.2 eager
Mind[bad]      = 0.5 angry | 0.3 bored | 0.2 weary
Did[good]      = zipf praised | loved | kept
Did[bad]       = zipf hated | returned | buried
Way[good]      = 0.5 gladly | 0.3 proudly | 0.2 warmly
Way[bad]       = 0.5 sadly | 0.3 angrily | 0.2 coldly
Quality[mood]  = 0.8 Common[mood] | 0.2 Rare[mood]
Common[good]   = zipf great | fine | lovely | funny | warm | bright | fresh | clever | pleasant | moving
               | charming | excellent | brilliant | gentle | brave | calm | witty | elegant | lively | grand
Common[bad]    = zipf dull | poor | awful | boring | weak | bitter | ugly | rude | sour | stale
               | nasty | messy | gloomy | grim | dusty | dreary | dreadful | clumsy | bland | crude
Rare[good]     = perfect | superb | noble | neat | delightful | splendid | tender | generous | merry | cosy
               | crisp | joyful | graceful | glorious | fabulous | dazzling | inspired | radiant | admirable | lucid
Rare[bad]      = tedious | rotten | foul | horrid | bleak | lousy | feeble | shabby | sloppy | soggy
               | pathetic | hideous | dismal | ghastly | vile | lame | limp | insipid | woeful | abysmal

# ------------------------------------------------------------------ news: one name for a person, a place, a firm
News[human pronoun]     = 0.4 Human[pronoun] moved to Place . | 0.3 Human[pronoun] works for Firm .
                        | 0.3 everyone knows Human[pronoun] .
News[place pronoun]     = 0.4 Place is near Place . | 0.3 Place hid Human[pronoun2] . | 0.3 everyone knows Place .
News[firm pronoun]      = 0.4 Firm hired Human[pronoun2] . | 0.3 Firm works in Place . | 0.3 everyone knows Firm .
Comment[human pronoun]  = $pronoun Keeps a Pet .
Comment[place pronoun]  = 0.6 it has a Noun[river] . | 0.4 the town has a Noun[river] .
Comment[firm pronoun]   = 0.6 it sells $thing ##s . | 0.4 the firm sells $thing ##s .
Human[pronoun] as PER   = 0.3 First[pronoun] Family | 0.7 Family
Place as LOC            = Family
Firm as ORG             = Family
Family           = 0.8 Stem Ending | 0.2 Stem ##ing Ending
Stem             = zipf ash | hart | nor
Ending           = 0.5 ##ton | 0.3 ##ford | 0.2 ##by

# ------------------------------------------------------------------ quizzes: facts, questions, answers
Question[who home]  = 0.6 where does Named[who] live ? | 0.4 where is the home of Named[who] ?
Question[who pet]   = 0.6 what does Named[who] keep ? | 0.4 what is the pet of Named[who] ?
Fact[who home]      = Named[who] Lives in ^Place .
Fact[who pet]       = Named[who] Keeps a ^Pet .
Again[pronoun home]    = $pronoun Lives in ^Place .
Again[pronoun pet]     = $pronoun Keeps a ^Pet .
Someone[home]          = one of them Lives in ^Place .
Someone[pet]           = one of them Keeps a ^Pet .
Named[who] as PER      = $who
Lives                  = 0.7 lives | 0.3 sleeps
Keeps                  = 0.7 keeps | 0.3 owns
Pet                    = zipf goat | cat | parrot | kettle

# ------------------------------------------------------------------ reports: one event, many ways to put it
Report[agent deed thing]  = Event[agent deed thing] .
Echo[agent deed thing]    = in short , Event[agent deed thing] .
Event[agent deed thing]   = 0.6 the $agent Done[deed] the $thing | 0.4 the $thing was Done[deed] by the $agent
Done[sell]                = 0.7 sold | 0.3 flogged
Done[find]                = 0.7 found | 0.3 spotted
Done[lose]                = 0.7 lost | 0.3 mislaid
Done[take]                = 0.7 borrowed | 0.3 pinched
"""
