"""Logs distilled: from megabytes to the lines that matter, each of them verbatim, in order of time.

    Distiller      a log in order of importance, picked from for any room     selection, importance
      shapes       which lines are alike                                      shapes, templates (drain3)
      blocks       which lines belong together: stack traces                  traces
      sealed       which lines are safe together only: multi-line secrets     sealed
      level_of     how serious a line is                                      levels

Deterministic, and linear in the log's length whatever it holds.
"""

from agent.context.distillation.levels import time_of
from agent.context.distillation.secret_blocks import LONGEST as LONGEST_SEALED
from agent.context.distillation.secret_blocks import unsealed_start
from agent.context.distillation.selection import Distiller, Kept, Selection
from agent.context.distillation.traces import may_belong_to_a_trace

__all__ = ["LONGEST_SEALED", "Distiller", "Kept", "Selection", "may_belong_to_a_trace", "time_of", "unsealed_start"]
