"""Shuffles once: every epoch has the same order.

answer: stream
caught by: test-stream
message: every epoch should have an order of its own
"""


class ShuffledStream:
    def __init__(self, items, batch_size, seed):
        self.items, self.batch_size, self.seed = items, batch_size, seed
        self.epoch, self.batch = 0, 0

    def __next__(self):
        if (self.batch + 1) * self.batch_size > len(self.items):
            self.epoch, self.batch = self.epoch + 1, 0
        order = torch.randperm(len(self.items), generator=torch.Generator().manual_seed(self.seed)).tolist()
        begin = self.batch * self.batch_size
        self.batch += 1
        return [self.items[i] for i in order[begin : begin + self.batch_size]]

    def state_dict(self):
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state):
        self.epoch, self.batch = state["epoch"], state["batch"]
