"""A model becomes arrays: what its heads attend to, which pattern that is, what a prediction is without them."""
