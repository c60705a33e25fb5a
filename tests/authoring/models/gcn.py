import torch
import torch.nn as nn
import torch.nn.functional as F


class GraphConv(nn.Module):
    def __init__(self, fin, fout):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fin, fout))
        self.bias = nn.Parameter(torch.zeros(fout))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adj):
        support = torch.mm(x, self.weight)
        output = torch.matmul(adj, support)
        return output + self.bias


class GCN(nn.Module):
    """Two graph convolutions; the nodes that have a label count."""

    def __init__(self, fin, hidden, classes):
        super().__init__()
        self.gc1 = GraphConv(fin, hidden)
        self.gc2 = GraphConv(hidden, classes)

    def forward(self, x, edges, labels, seen):
        a = edges + torch.eye(edges.shape[0])
        deg = a.sum(dim=1)
        norm = deg.pow(-0.5)
        adj = norm[:, None] * a * norm[None, :]
        x = F.relu(self.gc1(x, adj))
        x = self.gc2(x, adj)
        logp = F.log_softmax(x, dim=1)
        return F.nll_loss(logp[seen], labels[seen])


def example(g, nodes=6, fin=4, hidden=5, classes=3):
    upper = (torch.rand(nodes, nodes, generator=g) > 0.5).float().triu(1)
    return dict(
        x=torch.randn(nodes, fin, generator=g),
        edges=(upper + upper.T).long(),
        labels=torch.randint(classes, (nodes,), generator=g),
        seen=torch.randperm(nodes, generator=g)[:4],
    )
