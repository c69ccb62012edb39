"""Logs distilled: of megabytes the lines that matter, each of them verbatim, in order of time.

    Distiller      the lines of a log that matter most, for any room           selection, importance
      shapes       which lines are alike                                      shapes, templates (drain3)
      blocks       which lines belong together: stack traces                  traces
      sealed       which lines stay together: multi-line secrets              secret_blocks
      level_of     how serious a line is                                      levels

Deterministic, and linear in the log's length whatever it holds.
"""

from agent.context.distillation.levels import time_of
from agent.context.distillation.secret_blocks import LONGEST as LONGEST_SEALED
from agent.context.distillation.secret_blocks import unsealed_start
from agent.context.distillation.selection import Distiller, KeptLine, LineSelection
from agent.context.distillation.traces import may_belong_to_a_trace

__all__ = [
    "LONGEST_SEALED",
    "Distiller",
    "KeptLine",
    "LineSelection",
    "may_belong_to_a_trace",
    "time_of",
    "unsealed_start",
]
