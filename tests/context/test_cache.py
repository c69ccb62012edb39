"""What is kept between turns, for whom, and for how long."""

import asyncio
from typing import Any

import pytest
from starlette.responses import JSONResponse

from agent.context.cache import IMMUTABLE_SECONDS, MAX_CACHE_BYTES, MAX_CACHE_ENTRIES, AnswerCache, CacheView, Sized
from agent.context.collect import Collector
from agent.context.context import Context
from agent.request.caller import Caller
from agent.settings import load_settings
from agent.turn.parse import parse_question
from tests.context.asking import SHOP, WEB, gaps
from tests.context.manifests import DEPLOYMENT
from tests.fakes.argocd import FakeArgoCD
from tests.fakes.kubernetes import FakeKubernetes

CACHED = ("/resource", "/resource-tree", "/managed-resources", "/syncwindows", "/metadata")
COMMIT = "c" * 40


def turns(*asked: dict[str, Any]) -> list[Context]:
    """The contexts of several questions to one collector, each with more custom inputs; `user` is who asks, `then` is
    called before."""

    async def collect() -> list[Context]:
        collector = Collector(load_settings())
        contexts: list[Context] = []
        for more in asked:
            user, then = more.pop("user", None), more.pop("then", None)
            if then:
                then()
            inputs = {"application": SHOP} | more
            body = {"input": "Why?", "custom_inputs": inputs, "context": {"user_id": user}}
            contexts.append(await collector.collect(parse_question(body)))
        await collector.aclose()
        return contexts

    return asyncio.run(collect())


def seen(argocd: FakeArgoCD) -> dict[str, int]:
    """How often each cached endpoint was asked."""
    return {suffix: len(argocd.seen(suffix)) for suffix in CACHED if argocd.seen(suffix)}


@pytest.fixture(autouse=True)
def deployed(argocd: FakeArgoCD) -> None:
    argocd.set_status("shop", {"sync": {"status": "OutOfSync", "revision": COMMIT}})
    argocd.add_revision("shop", COMMIT, message="Change")
    argocd.add_managed("shop", DEPLOYMENT, target=DEPLOYMENT)


def test_a_second_question_reads_only_what_may_have_changed(argocd: FakeArgoCD):
    first, second = turns({}, {})
    assert seen(argocd) == {
        "/resource": 2,
        "/resource-tree": 1,
        "/managed-resources": 1,
        "/syncwindows": 1,
        "/metadata": 1,
    }
    assert [len(argocd.seen(suffix)) for suffix in ("/shop", "/logs")] == [2, 2]
    assert (first.tree, first.related, first.managed) == (second.tree, second.related, second.managed)


def test_a_refresh_reads_anew_and_renews_what_is_kept(argocd: FakeArgoCD):
    changed = {"spec": {"replicas": 9}}
    before, _, after = turns({}, {"refresh": True, "then": lambda: argocd.set_live(DEPLOYMENT | changed)}, {})
    assert len(argocd.seen("/resource-tree")) == 2
    assert (before.related[0]["spec"], after.related[0]["spec"]) == (DEPLOYMENT["spec"], changed["spec"])


def test_nothing_is_shared_between_users(argocd: FakeArgoCD):
    turns({"user": "ada"}, {"user": "bob"}, {}, {"user": "ada"})
    assert len(argocd.seen("/resource-tree")) == 3


def test_nothing_is_kept_where_it_is_switched_off(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASSISTANT_CACHE_SECONDS", "0")
    turns({}, {})
    assert len(argocd.seen("/resource-tree")) == len(argocd.seen("/metadata")) == 2


def test_a_failure_is_not_kept(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    async def collect() -> list[Context]:
        collector = Collector(load_settings())
        asked = parse_question({"input": "Why?", "custom_inputs": {"application": SHOP}})
        argocd.fail("/resource-tree", JSONResponse({"message": "permission denied"}, status_code=403))
        first = await collector.collect(asked)
        argocd.recover("/resource-tree")
        second = await collector.collect(asked)
        await collector.aclose()
        return [first, second]

    first, second = asyncio.run(collect())
    assert (gaps(first), gaps(second)) == ([("tree", "argocd", "forbidden")], [])
    assert (len(first.tree), len(second.tree)) == (0, 3)


def test_another_question_about_the_same_application_shares_its_tree(argocd: FakeArgoCD):
    turns({}, {"resource": WEB})
    assert len(argocd.seen("/resource-tree")) == 1


def test_objects_of_the_cluster_are_kept_too_but_not_their_events_and_logs(
    kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ARGOCD_SERVER")
    turns({"resource": WEB}, {"resource": WEB})
    paths = kubernetes.paths()
    assert paths.count("/apis/apps/v1/namespaces/shop/deployments/web") == 1
    assert paths.count("/api/v1/namespaces/shop/pods") == 1
    assert paths.count("/api/v1/namespaces/shop/pods/web-5d9-x1/log") == 2


class Clock:
    """The time, as the cache sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr("agent.context.cache.time.monotonic", lambda: self.now)


def view(cache: AnswerCache, *, reader: str = "r", user: str | None = None) -> CacheView:
    return cache.view(reader=reader, caller=Caller.claimed(user), refresh=False)


def test_an_answer_is_kept_for_its_time_and_what_never_changes_for_longer(monkeypatch: pytest.MonkeyPatch):
    clock = Clock(monkeypatch)
    mine = view(AnswerCache(seconds=15))
    mine.put("tree", Sized("t", 10))
    mine.put("commit", Sized("c", 10), immutable=True)
    clock.now += 14
    assert mine.get("tree") == Sized("t", 10)
    clock.now += 2
    assert (mine.get("tree"), mine.get("commit")) == (None, Sized("c", 10))
    clock.now += IMMUTABLE_SECONDS
    assert mine.get("commit") is None


def test_other_credentials_and_other_users_see_nothing():
    cache = AnswerCache(seconds=15)
    view(cache, user="ada").put("tree", Sized("t", 10))
    assert view(cache, user="ada").get("tree") is not None
    for other in (view(cache, user="bob"), view(cache), view(cache, user="ada", reader="s")):
        assert other.get("tree") is None


def test_bytes_and_entries_are_bounded():
    mine = view(AnswerCache(seconds=15))
    mine.put("whole", Sized("w", MAX_CACHE_BYTES))
    assert mine.get("whole") is None
    for number in range(10):
        mine.put(number, Sized(number, MAX_CACHE_BYTES // 4))
    assert sum(mine.get(number) is not None for number in range(10)) == 4
    for number in range(MAX_CACHE_ENTRIES + 100):
        mine.put(("small", number), Sized(number, 1))
    assert (
        sum(mine.get(("small", number)) is not None for number in range(MAX_CACHE_ENTRIES + 100)) == MAX_CACHE_ENTRIES
    )
