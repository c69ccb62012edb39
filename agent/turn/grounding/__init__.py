"""Whether an answer is about the findings, and whether its claims were read: quotations, names, numbers, paths and
commands are looked up again.

`ground` is the entry point. A claim that is not found is reported; the answer is never changed.
"""

from agent.turn.grounding.check import Grounding, GroundingStatus, ground
from agent.turn.grounding.claims import Claim, ClaimKind
from agent.turn.grounding.topic import Topic

__all__ = ["Claim", "ClaimKind", "Grounding", "GroundingStatus", "Topic", "ground"]
