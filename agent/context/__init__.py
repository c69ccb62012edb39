"""What is known of the target: the values (`model`), the parts they make up (`parts`), and the sources that read them
(`collect` joins them). Importing anything of it declares the built-in parts.
"""

from agent.context import parts as _parts

__all__ = ["_parts"]
