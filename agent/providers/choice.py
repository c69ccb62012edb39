"""Which provider answers, by the configuration. Owns nothing of what they do; imports only the one that is taken."""

from agent.providers.provider import Provider
from agent.settings import Settings


def choose_provider(settings: Settings) -> Provider:
    """The configured provider: `settings.provider`, or for `auto` the first whose address is set, else offline."""
    choice = settings.provider
    if choice == "auto":
        choice = (
            "llama-stack" if settings.llamastack_base_url else "lightspeed" if settings.lightspeed_url else "offline"
        )
    match choice:
        case "llama-stack":
            from agent.providers.llama_stack import LlamaStack

            return LlamaStack(settings)
        case "lightspeed":
            from agent.providers.lightspeed import Lightspeed

            return Lightspeed(settings)
        case "offline":
            from agent.providers.offline import Offline

            return Offline()
