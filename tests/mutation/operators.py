"""The changes that `make mutate` makes, each as a Cosmic Ray operator."""

from collections.abc import Iterable, Iterator
from typing import Any

import parso
from cosmic_ray.ast import is_number
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

# Each comparison moves its boundary once and is negated once. Cosmic Ray's other replacements mostly raise TypeError and prove nothing.
_CORE = (
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_Lt_GtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_LtE_Gt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_Gt_LtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_GtE_Lt",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ZeroIterationForLoop",
)
# Smaller integers are counts and positions, of which a fifth is no step.
_SCALED_FROM = 10


class MoveNumber(Operator):
    """Move a number by a fifth in both directions, and a small integer by one."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        """Yield each number twice."""
        if is_number(node):
            yield from [(node.start_pos, node.end_pos)] * 2

    def mutate(self, node: Any, index: int) -> Any:
        """Return the number, moved down (index 0) or up (index 1)."""
        return parso.python.tree.Number(str(move(parso_value(node), index)), node.start_pos, node.prefix)

    @classmethod
    def examples(cls) -> Iterable[Any]:
        """Return none: Cosmic Ray reads them only in its own tests."""
        return ()


def parso_value(node: Any) -> float:
    """Return the value of a number in the source."""
    text = node.value.replace("_", "")
    return float(text) if "." in text or ("e" in text.lower() and not text.startswith("0x")) else int(text, 0)


def move(value: float, index: int) -> float:
    """Return the value moved down (index 0) or up (index 1): an integer below 10 by one, any other number by a fifth."""
    if isinstance(value, int):
        return value + (-1, 1)[index] if value < _SCALED_FROM else round(value * (0.8, 1.2)[index])
    return value * (0.8, 1.2)[index] if value else (-0.2, 0.2)[index]


def load_operators() -> dict[str, Operator]:
    """Return all operators by name."""
    return {**{name: get_operator(f"core/{name}")() for name in _CORE}, "MoveNumber": MoveNumber()}
