"""The stages of an iteration, compiled for the CPU."""

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import decisions
from intriguing.attack.minimal.compiled import pixels
from intriguing.attack.minimal.loop import stages_with

__all__ = ["advance", "begin", "judge"]

begin, judge, advance = map(kernel, vars(stages_with(decisions, pixels)).values())
