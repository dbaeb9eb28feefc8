"""Runs seeds in processes of their own and reads what they say, for the command line and for pytest.

A simulation takes over the clock, the ids and the threads of its process, and wants strings to hash alike each time.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ROOT = Path(__file__).parents[2]


class Player:
    """A process that plays what it is told: a line of JSON in, a line of JSON out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def play(self, **request: Any) -> dict[str, Any]:
        """Play one request; RuntimeError when the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline():
            if line.startswith('{"played"'):
                played: dict[str, Any] = json.loads(line)["played"]
                return played
        raise RuntimeError(f"the simulation ended with exit code {self._process.wait()}")


@contextmanager
def player() -> Iterator[Player]:
    """Start a player; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.player"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(_ROOT)},
    )
    try:
        yield Player(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def play_all(requests: Iterable[dict[str, Any]], jobs: int) -> Iterator[dict[str, Any]]:
    """Play requests in several processes; yield the answers as they come."""
    waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    answers: queue.SimpleQueue[dict[str, Any] | Exception] = queue.SimpleQueue()
    count = 0
    for request in requests:
        waiting.put(request)
        count += 1
    with ExitStack() as ends:
        threads = [
            threading.Thread(target=_work, args=(ends.enter_context(player()), waiting, answers))
            for _ in range(jobs)
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in range(count):
                answer = answers.get()
                if isinstance(answer, Exception):
                    raise answer
                yield answer
        finally:
            while not waiting.empty():  # whoever reads no more answers
                waiting.get()
            for _ in threads:
                waiting.put(None)
            for thread in threads:
                thread.join()


def _work(mine: Player, waiting: queue.SimpleQueue[Any], answers: queue.SimpleQueue[Any]) -> None:
    try:
        while (request := waiting.get()) is not None:
            answers.put(mine.play(**request))
    except Exception as error:  # noqa: BLE001 - raised by whoever reads the answers
        answers.put(error)
