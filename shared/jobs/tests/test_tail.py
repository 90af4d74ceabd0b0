"""A job's log, read while it grows."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.rpc.errors import InvalidArgument
from ft.proto.fine_tuning_studio_jobs_pb2 import TailLogsResponse
from jobs.execution.tail import CHUNK_BYTES, tail


class Job:
    """A job that writes when it is told to."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.ended = False

    def say(self, content: bytes) -> None:
        with self.log.open("ab") as log:
            log.write(content)

    def tail(self, offset: int = 0, follow: bool = False) -> AsyncIterator[TailLogsResponse]:
        return tail(self.log, offset, follow, lambda: self.ended)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "job.log")


async def test_tail_without_follow_ends_with_the_file(job: Job) -> None:
    assert [c async for c in job.tail()] == []
    job.say(b"one\ntwo\n")
    [chunk] = [c async for c in job.tail()]
    assert (chunk.data, chunk.next_offset) == (b"one\ntwo\n", 8)


async def test_tail_goes_on_where_the_last_answer_ended(job: Job) -> None:
    job.say(b"one\ntwo\n")
    [chunk] = [c async for c in job.tail(offset=4)]
    assert (chunk.data, chunk.next_offset) == (b"two\n", 8)
    assert [c async for c in job.tail(offset=8)] == []
    assert [c async for c in job.tail(offset=1_000)] == []


async def test_negative_offset_is_refused(job: Job) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await anext(job.tail(offset=-1))
    assert [v.field for v in refused.value.violations] == ["offset"]


async def test_chunks_are_limited_and_lose_nothing(job: Job) -> None:
    # An odd offset cuts within the characters, which have two bytes each.
    content = ("ä" * CHUNK_BYTES).encode()
    job.say(content)
    chunks = [c async for c in job.tail(offset=1)]
    assert all(len(c.data) <= CHUNK_BYTES for c in chunks)
    assert b"".join(c.data for c in chunks) == content[1:]
    ends = [1 + len(b"".join(c.data for c in chunks[: n + 1])) for n in range(len(chunks))]
    assert [c.next_offset for c in chunks] == ends


async def test_tail_follows_from_before_the_first_byte_to_the_last(job: Job) -> None:
    answers = job.tail(follow=True)
    first = asyncio.ensure_future(anext(answers))
    done, _ = await asyncio.wait({first}, timeout=0.3)
    assert not done
    job.say(b"one")
    assert (await first).data == b"one"
    job.say(b"two")
    assert (await anext(answers)).data == b"two"
    job.say(b"three")
    job.ended = True
    assert [c.data async for c in answers] == [b"three"]
