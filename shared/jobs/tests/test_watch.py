"""Watchers of a job get each of its events once and in order, however many and slow they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.rpc.dispatch import RpcDispatcher, serialize
from chassis.rpc.errors import NotFound
from ft.enums import JobState
from ft.proto.fine_tuning_studio_jobs_pb2 import WatchJobRequest, WatchJobResponse
from jobs.store import feeds
from jobs.store.records import JobRecords
from jobs.tests.tables import SomeJob, records_in
from jobs.watch import JobWatch

WATCHERS = 200
SECONDS = 120.0


def watch_of(records: JobRecords[Any]) -> JobWatch[Any]:
    return JobWatch(records.get, records)


async def begin(records: JobRecords[Any], id: str = "j") -> None:
    await records.begin([SomeJob(id=id, run_id="r")])
    await records.move(id, JobState.DISPATCHING)
    await records.move(id, JobState.SCHEDULED)


async def report(records: JobRecords[Any], step: int, **more: Any) -> None:
    job = records.get("j")
    assert await records.observed(job, step=step, reported_offset=step, **more)


async def seen(watch: JobWatch[Any], cursor: int = 0) -> list[int]:
    """Cursors of what a watcher gets until the end."""
    return [r.event.cursor async for r in watch.follow("j", cursor) if r.HasField("event")]


def history(records: JobRecords[Any], cursor: int = 0) -> list[int]:
    return [event.seq for event in records.log.events("j", cursor, 10_000)]


@asynccontextmanager
async def served(watch: JobWatch[Any]) -> AsyncIterator[str]:
    """Serves a watch by gRPC. Returns the address."""

    def follow(request: WatchJobRequest) -> AsyncIterator[WatchJobResponse]:
        return watch.follow(request.job_id, request.cursor)

    stream = RpcDispatcher(SECONDS).stream("Watch", follow, WatchJobRequest.FromString)
    handler = grpc.unary_stream_rpc_method_handler(stream, response_serializer=serialize)
    server = aio.server()
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("some.Jobs", {"Watch": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def test_hundreds_of_watchers_get_every_event_once_while_one_does_not_read(
    records: JobRecords[Any],
) -> None:
    await begin(records)
    async with served(watch_of(records)) as address, aio.insecure_channel(address) as channel:
        call = channel.unary_stream(
            "/some.Jobs/Watch",
            request_serializer=WatchJobRequest.SerializeToString,
            response_deserializer=WatchJobResponse.FromString,
        )
        request = WatchJobRequest(job_id="j")
        silent = aiter(call(request, timeout=SECONDS))
        first = await anext(silent)

        async def read() -> list[int]:
            return [r.event.cursor async for r in call(request, timeout=SECONDS)]

        watchers = [asyncio.create_task(read()) for _ in range(WATCHERS)]
        for step in range(1, 11):
            await report(records, step, waits_for=f"{step}{'x' * 30_000}")
        await records.move("j", JobState.SUCCEEDED)
        found = await asyncio.gather(*watchers)
        assert found == [history(records)] * WATCHERS
        left = [response.event.cursor async for response in silent]
        assert [first.event.cursor, *left] == history(records)


async def test_event_is_read_once_for_all_watchers(
    records: JobRecords[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(records)
    watch = watch_of(records)
    watchers = [asyncio.create_task(seen(watch, history(records)[-1])) for _ in range(WATCHERS)]
    await asyncio.sleep(0)
    reads = 0
    read = records.store.read

    def counted(work: Any) -> Any:
        nonlocal reads
        reads += 1
        return read(work)

    monkeypatch.setattr(records.store, "read", counted)
    await records.move("j", JobState.SUCCEEDED)
    assert await asyncio.gather(*watchers) == [history(records)[-1:]] * WATCHERS
    assert reads <= 4


async def test_commit_that_concerns_another_job_is_not_read(
    records: JobRecords[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(records)
    await begin(records, "other")
    watcher = asyncio.create_task(seen(watch_of(records)))
    await asyncio.sleep(0)
    read: list[str] = []
    monkeypatch.setattr(feeds.EventFeed, "_read", lambda feed: read.append(feed._id))
    await records.move("other", JobState.SUCCEEDED)
    await asyncio.sleep(0)
    assert read == []
    watcher.cancel()


async def test_watchers_are_told_of_a_write_whose_caller_is_gone(
    records: JobRecords[Any],
) -> None:
    await begin(records)
    watcher = asyncio.create_task(seen(watch_of(records)))
    await asyncio.sleep(0)
    caller = asyncio.create_task(records.move("j", JobState.SUCCEEDED))
    await asyncio.sleep(0)
    caller.cancel()
    async with asyncio.timeout(feeds.HEARTBEAT_SECONDS * 0.9):  # before it reads without a cause
        assert await watcher == history(records)


async def test_watchers_of_a_job_that_is_removed_are_told(records: JobRecords[Any]) -> None:
    await begin(records)
    watch = watch_of(records)
    watchers = [asyncio.create_task(seen(watch)) for _ in range(3)]
    await asyncio.sleep(0)
    await records.forget("j")
    ends = await asyncio.gather(*watchers, return_exceptions=True)
    assert [type(end) for end in ends] == [NotFound] * 3
    assert records.feeds._feeds == {}


async def test_feed_keeps_a_bounded_number_of_events(records: JobRecords[Any]) -> None:
    await begin(records)
    with records.feeds.watched("j") as feed:
        for step in range(1, feeds.KEPT + 50):
            await report(records, step)
        await asyncio.sleep(0)
        assert len(feed.after(feed._start)) == feeds.KEPT
        slow = [r.event.cursor for r in feed.after(0)]
        assert slow == history(records)[: feeds.PAGE]
    assert records.feeds._feeds == {}


@settings(max_examples=15, deadline=None)
@given(
    kept=st.integers(1, 5),
    page=st.integers(1, 5),
    watchers=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8),
)
def test_watchers_that_come_at_any_time_from_any_position_miss_nothing(
    tmp_path_factory: Any, kept: int, page: int, watchers: list[tuple[int, int]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("watch")

    async def watched() -> None:
        async with records_in(f"sqlite:///{folder}/some.db", folder) as records:
            await begin(records)
            watch = watch_of(records)
            tasks: list[tuple[int, asyncio.Task[list[int]]]] = []
            for step in range(1, 31):
                for when, cursor in watchers:
                    if when == step:
                        tasks.append((cursor, asyncio.create_task(seen(watch, cursor))))
                await report(records, step)
            await records.move("j", JobState.SUCCEEDED)
            tasks += [(cursor, asyncio.create_task(seen(watch, cursor))) for _, cursor in watchers]
            for cursor, task in tasks:
                assert await task == history(records, cursor)
            assert records.feeds._feeds == {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "KEPT", kept)
        patch.setattr(feeds, "PAGE", page)
        asyncio.run(watched())


async def test_events_that_another_process_writes_arrive(postgres_url: str, tmp_path: Path) -> None:
    here, there = records_in(postgres_url, tmp_path), records_in(postgres_url, tmp_path)
    async with here as watched, there as written:
        await begin(written)
        watch = watch_of(watched)
        watchers = [asyncio.create_task(seen(watch)) for _ in range(10)]
        await asyncio.sleep(0)
        assert len(watched.feeds._feeds) == 1
        await report(written, 1)
        await written.move("j", JobState.SUCCEEDED)
        assert await asyncio.gather(*watchers) == [history(written)] * 10
