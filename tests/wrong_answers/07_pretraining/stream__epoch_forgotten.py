"""Stores the batch and not the epoch: right as long as nobody resumes after the first epoch.

answer: stream
caught by: test-stream
message: the order of every epoch must follow from the seed and the epoch alone
"""


class ShuffledStream:
    def __init__(self, items, batch_size, seed):
        self.items, self.batch_size, self.seed = items, batch_size, seed
        self.epoch, self.batch = 0, 0

    def __next__(self):
        if (self.batch + 1) * self.batch_size > len(self.items):
            self.epoch, self.batch = self.epoch + 1, 0
        generator = torch.Generator().manual_seed(1_000 * self.seed + self.epoch)
        order = torch.randperm(len(self.items), generator=generator).tolist()
        begin = self.batch * self.batch_size
        self.batch += 1
        return [self.items[i] for i in order[begin : begin + self.batch_size]]

    def state_dict(self):
        return {"batch": self.batch}

    def load_state_dict(self, state):
        self.batch = state["batch"]
