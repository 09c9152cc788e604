"""The directions are taken to wait for each other.

answer: predictions
caught by: test-predictions
message: an LSTM's words wait for each other in each layer
"""

predictions = {
    "of the neighbours of seal, whatever its sense: the share that are desk": 0.15,
    "cosine of the word's single row with the row of the animal": 0.957,
    "cosine of the word's single row with the row of the letter": 0.349,
    "cosine of the rows of the two senses": 0.062,
    "the largest share of the four cases of an exclusive or that a sum of two one-sided answers gets right": 0.75,
    "steps that wait for each other: two layers of LSTMs, each read from both ends at the same time, 30 words": 120,
    "the same: twelve layers of a Transformer, 30 words": 12,
}
