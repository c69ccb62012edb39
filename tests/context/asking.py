"""Asking a Collector one question, as a turn does."""

import asyncio
from typing import Any

from agent.context.collect import Collector
from agent.context.context import Context
from agent.request.question import Question
from agent.settings import load_settings
from agent.turn.parse import parse_question
from tests.fakes import argocd, kubernetes

WEB = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web"}
WEB_POD = {"version": "v1", "kind": "Pod", "namespace": "shop", "name": "web-5d9-x1"}
SHOP = {"name": "shop", "namespace": "argocd", "project": "web"}

ARGOCD_TOKEN = argocd.TOKEN
KUBERNETES_TOKEN = kubernetes.TOKEN


def question(**custom_inputs: Any) -> Question:
    return parse_question({"input": "Why?", "custom_inputs": custom_inputs})


async def collect_with(collector: Collector, **custom_inputs: Any) -> Context:
    try:
        return await collector.collect(question(**custom_inputs))
    finally:
        await collector.aclose()


def collect(**custom_inputs: Any) -> Context:
    """The context of a question, by a new Collector with the settings of the environment."""
    return asyncio.run(collect_with(Collector(load_settings()), **custom_inputs))


def gaps(context: Context) -> list[tuple[str, str, str]]:
    """Part, source and reason of each gap."""
    return [(gap.part, gap.source, gap.reason) for gap in context.gaps]


def messages(context: Context) -> str:
    return "\n".join(gap.message for gap in context.gaps)


def log_lines(context: Context) -> list[str]:
    return [line.text for log in context.logs for line in log.lines]
