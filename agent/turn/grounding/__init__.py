"""Whether an answer stands on what was read: its quotations, names, numbers, paths and commands looked up again.

`ground` is the way in. Owns no text of its own; what is not found is told, never changed.
"""

from agent.turn.grounding.check import Grounding, ground
from agent.turn.grounding.claims import Claim, ClaimKind, may_claim

__all__ = ["Claim", "ClaimKind", "Grounding", "ground", "may_claim"]
