"""A sum is taken for a network, which can learn all four cases.

answer: predictions
caught by: test-predictions
message: Three of the four inequalities
"""

predictions = {
    "of the neighbours of seal, whatever its sense: the share that are desk": 0.15,
    "cosine of the word's single row with the row of the animal": 0.957,
    "cosine of the word's single row with the row of the letter": 0.349,
    "cosine of the rows of the two senses": 0.062,
    "the largest share of the four cases of an exclusive or that a sum of two one-sided answers gets right": 1.0,
    "steps that wait for each other: two layers of LSTMs, each read from both ends at the same time, 30 words": 60,
    "the same: twelve layers of a Transformer, 30 words": 12,
}
