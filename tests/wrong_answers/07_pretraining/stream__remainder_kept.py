"""Hands out the three letters that are left over as a small batch.

answer: stream
caught by: test-stream
message: an epoch of 11 items has two batches of 4 different ones
"""


class ShuffledStream:
    def __init__(self, items, batch_size, seed):
        self.items, self.batch_size, self.seed = items, batch_size, seed
        self.epoch, self.batch = 0, 0

    def __next__(self):
        if self.batch * self.batch_size >= len(self.items):
            self.epoch, self.batch = self.epoch + 1, 0
        generator = torch.Generator().manual_seed(1_000 * self.seed + self.epoch)
        order = torch.randperm(len(self.items), generator=generator).tolist()
        begin = self.batch * self.batch_size
        self.batch += 1
        return [self.items[i] for i in order[begin : begin + self.batch_size]]

    def state_dict(self):
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state):
        self.epoch, self.batch = state["epoch"], state["batch"]
