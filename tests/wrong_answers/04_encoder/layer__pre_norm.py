"""Normalises what goes into each sub-layer: pre-norm, as GPT-2 has it.

answer: layer
caught by: test-layer
message: then the sum with what went in, then the norm
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
        normed = self.norm_1(x)
        h = x + self.dropout(self.attention(normed, normed, normed, key_padding_mask=padding)[0])
        return h + self.dropout(self.narrow(F.gelu(self.widen(self.norm_2(h)))))
