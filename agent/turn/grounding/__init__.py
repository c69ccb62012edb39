"""Whether the claims of an answer were read: its quotations, names, numbers, paths and commands are looked up again.

`ground` is the entry point. A claim that is not found is reported; the answer is never changed.
"""

from agent.turn.grounding.check import Grounding, ground
from agent.turn.grounding.claims import Claim, ClaimKind, may_claim

__all__ = ["Claim", "ClaimKind", "Grounding", "ground", "may_claim"]
