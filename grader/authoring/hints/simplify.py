"""What one would not write by hand: a factor of 1, a sign twice, a transpose of a transpose. Pure."""

from __future__ import annotations

import ast
import copy
from typing import Any


def simplified(node: Any) -> Any:
    """A copy of an expression or a statement, simpler where it can be."""
    return ast.fix_missing_locations(_Simpler().visit(copy.deepcopy(node)))


def _is(node: ast.AST, *values: float) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value in values


class _Simpler(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right, op = node.left, node.right, node.op
        if isinstance(op, ast.Mult) and _is(left, 1):
            return right
        if isinstance(op, ast.Mult | ast.Div | ast.Pow) and _is(right, 1):
            return left
        if isinstance(op, ast.Add) and isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
            return ast.BinOp(left, ast.Sub(), right.operand)
        if isinstance(op, ast.Sub) and isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
            return ast.BinOp(left, ast.Add(), right.operand)
        negative = isinstance(left, ast.UnaryOp) and isinstance(left.op, ast.USub)
        if isinstance(op, ast.Add) and negative and not isinstance(right, ast.UnaryOp):
            return ast.BinOp(right, ast.Sub(), left.operand)  # type: ignore[attr-defined]
        match node:
            case ast.BinOp(ast.UnaryOp(ast.USub(), inner), ast.Mult(), _):
                return ast.UnaryOp(ast.USub(), self.visit(ast.BinOp(inner, op, right)))
            case ast.BinOp(ast.Constant(float() | int() as a), ast.Sub(), ast.Constant(float() | int() as b)):
                return ast.Constant(a - b)
            case ast.BinOp(ast.BinOp(ast.Constant(1), ast.Div(), below), ast.Mult(), above):
                return ast.BinOp(above, ast.Div(), below)
            case ast.BinOp(_, ast.Sub(), ast.BinOp(first, ast.Add(), second)):
                return ast.BinOp(self.visit(ast.BinOp(left, op, first)), op, second)
            # 2 * (0.5 * x)
            case ast.BinOp(ast.Constant(a), ast.Mult(), ast.BinOp(ast.Constant(b), ast.Mult(), rest)):
                return ast.BinOp(ast.Constant(a * b), op, rest)  # type: ignore[operator]
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """x[i : i + n : 1]"""
        self.generic_visit(node)
        for part in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            if isinstance(part, ast.Slice) and part.step is not None and _is(part.step, 1):
                part.step = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """(-x).sum(0) is -x.sum(0)"""
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(ast.UnaryOp(ast.USub(), inner), "sum"):
                node.func.value = inner
                return ast.UnaryOp(ast.USub(), node)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        inner = node.operand
        if (
            isinstance(node.op, ast.USub)
            and isinstance(inner, ast.UnaryOp)
            and isinstance(inner.op, ast.USub)
        ):
            return inner.operand
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        inner = node.value
        return (
            inner.value
            if node.attr == "T" and isinstance(inner, ast.Attribute) and inner.attr == "T"
            else node
        )
