"""A language model of characters: an embedding, torch's own LSTM, a linear layer."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class CharLM(nn.Module):
    def __init__(self, vocab=7, hidden=4, emb=3):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb)
        self.rnn = nn.LSTM(emb, hidden, batch_first=True)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, idx, targets):
        h, _ = self.rnn(self.emb(idx))
        logits = self.head(h)
        return F.cross_entropy(logits.reshape(-1, logits.size(-1)), targets.reshape(-1))


def example(g, n=4, T=3, vocab=7, hidden=5, emb=6):
    ids = torch.randint(0, vocab, (n, T + 1), generator=g)
    return ids[:, :-1], ids[:, 1:]
