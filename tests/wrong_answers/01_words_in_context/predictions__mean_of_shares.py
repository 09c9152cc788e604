"""The mean of the two shares of desk, as if both senses were meant equally often.

answer: predictions
caught by: test-predictions
message: The single row is the sum of the two rows
"""

predictions = {
    "of the neighbours of seal, whatever its sense: the share that are desk": (10 / 80 + 5 / 20) / 2,
    "cosine of the word's single row with the row of the animal": 0.957,
    "cosine of the word's single row with the row of the letter": 0.349,
    "cosine of the rows of the two senses": 0.062,
    "the largest share of the four cases of an exclusive or that a sum of two one-sided answers gets right": 0.75,
    "steps that wait for each other: two layers of LSTMs, each read from both ends at the same time, 30 words": 60,
    "the same: twelve layers of a Transformer, 30 words": 12,
}
