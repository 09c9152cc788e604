"""Adds x itself the second time, too, in place of the first norm's result.

answer: layer
caught by: test-layer
message: the second sum is with the first norm's result
"""


class Layer(nn.Module):
    def __init__(self, width, heads, inner, dropout=0.1):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.norm_1 = nn.LayerNorm(width, eps=1e-12)
        self.norm_2 = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, padding=None):
        h = self.norm_1(x + self.dropout(self.attention(x, x, x, key_padding_mask=padding)[0]))
        return self.norm_2(x + self.dropout(self.narrow(F.gelu(self.widen(h)))))
