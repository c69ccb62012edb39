"""Which provider answers, by the configuration. Owns nothing of what they do."""

from agent.providers.lightspeed.client import Lightspeed
from agent.providers.llama_stack.provider import LlamaStack
from agent.providers.offline import Offline
from agent.providers.provider import Provider
from agent.settings import Settings


def choose_provider(settings: Settings) -> Provider:
    """The configured provider: `settings.provider`, or for `auto` the first whose address is set, else offline."""
    match settings.provider:
        case "auto":
            if settings.llamastack_base_url:
                return LlamaStack(settings)
            return Lightspeed(settings) if settings.lightspeed_url else Offline()
        case "llama-stack":
            return LlamaStack(settings)
        case "lightspeed":
            return Lightspeed(settings)
        case "offline":
            return Offline()
