"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast):
    """added where it stands: past holds x `dilation` places later, so dpast goes back by as many"""
    return dres + dfilt @ Wfnow.T + dgate @ Wgnow.T + dpast


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast):
    """dilation is not used: dpast goes back by 1"""
    d = dres + dfilt @ Wfnow.T + dgate @ Wgnow.T
    d[:, :-1] += dpast[:, 1:]
    return d


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast, dilation):
    """what falls off at the beginning comes in at the end, as roll does: the last places receive nothing from dpast"""
    return dres + dfilt @ Wfnow.T + dgate @ Wgnow.T + torch.roll(dpast, -dilation, 1)


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast, dilation):
    """moved to later places: what was read from the past comes back to earlier ones"""
    d = dres + dfilt @ Wfnow.T + dgate @ Wgnow.T
    d[:, dilation:] += dpast[:, :-dilation]
    return d
