"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast):
    """what was read from the past comes back to the same place: it stood `dilation` places before"""
    return dres + dfilt @ Wfnow.T + dgate @ Wgnow.T + dpast


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast, dilation):
    """moved to later places: what was read from the past comes back to earlier ones"""
    d = dres + dfilt @ Wfnow.T + dgate @ Wgnow.T
    d[:, dilation:] += dpast[:, :-dilation]
    return d


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast):
    """what was read from the past is moved by one place: by `dilation` places is meant"""
    d = dres + dfilt @ Wfnow.T + dgate @ Wgnow.T
    d[:, :-1] += dpast[:, 1:]
    return d


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast, dilation):
    """what falls off at one end comes in at the other, as roll does: it belongs to what was before x"""
    return dres + dfilt @ Wfnow.T + dgate @ Wgnow.T + torch.roll(dpast, -dilation, 1)


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast, dilation):
    """what falls off at one end comes in at the other, and it is moved to later places: to earlier ones is meant"""
    return dres + dfilt @ Wfnow.T + dgate @ Wgnow.T + torch.roll(dpast, dilation, 1)


def dx(Wres, Wfnow, Wgnow, dz, dres, dfilt, dgate):
    """the past is left out: what was read from it comes back too"""
    return dres + dfilt @ Wfnow.T + dgate @ Wgnow.T


def dx(Wfpast, Wgpast, dres, dfilt, dgate, dpast, dilation):
    """Wfpast and Wgpast stand for Wfnow and Wgnow, which x is multiplied with"""
    d = dres + dfilt @ Wfpast.T + dgate @ Wgpast.T
    d[:, :-dilation] += dpast[:, dilation:]
    return d


def dpast(Wfpast, Wgpast, dfilt, dgate):
    """each gradient meets the other one's matrix"""
    return dgate @ Wfpast.T + dfilt @ Wgpast.T


def dgate(gate, dshare):
    """1 - gate stands where 1 - share is meant: the sigmoid's derivative is made of its output"""
    return gate * (1 - gate) * dshare
