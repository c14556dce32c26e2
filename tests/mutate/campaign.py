"""Runs a campaign: batches in worker processes, results in a file that survives whatever happens to the process.

The state file is append-only, one line for each batch that is done, written by one process that holds a lock on it. A
batch depends on nothing but the campaign's seed and its number, so what was under way when the campaign died is run
again from its start, and nothing is counted twice. A worker that dies or hangs is replaced; the mutation it was at is
counted as CRASH or HANG, and the batch is run again without it.
"""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, Any

from tests.mutate import corpus, judge, mutations

VERSION = 2  # raised when the mutations change: a state file goes on with the ones it began with
BATCH = 5_000
STALLED_AFTER = 120  # seconds at one mutation
KEPT_FAILURES = 5  # of each batch, in full
SHARES = (0.80, 0.96)  # credentials, then raw signatures, then private keys

Verdicts = dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a campaign is; a state file belongs to one."""

    seed: int
    count: int
    corpus: str

    def batches(self) -> int:
        return -(-self.count // BATCH)

    def size_of(self, batch: int) -> int:
        return min(BATCH, self.count - batch * BATCH)

    def header(self) -> dict[str, Any]:
        return {"campaign": VERSION, "seed": self.seed, "count": self.count, "batch": BATCH, "corpus": self.corpus}


@dataclass(kw_only=True)
class Tally:
    """What has come out so far."""

    done: set[int] = field(default_factory=set)
    count: int = 0
    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    failures: list[dict[str, Any]] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def add(self, record: Mapping[str, Any]) -> None:
        assert record["batch"] not in self.done
        self.done.add(record["batch"])
        self.count += record["count"]
        self.cpu_seconds += record["cpu_seconds"]
        for kind, verdicts in record["verdicts"].items():
            self.verdicts[kind].update(verdicts)
        self.failures.extend(record["failures"])

    def totals(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for verdicts in self.verdicts.values():
            total.update(verdicts)
        return total

    def bad(self) -> int:
        return sum(number for verdict, number in self.totals().items() if judge.is_bad(verdict))


def run_batch(
    items: corpus.Corpus, *, seed: int, batch: int, size: int, skip: Mapping[int, str] | None = None, at: Any = None
) -> dict[str, Any]:
    """All mutations of a batch; those in `skip` are made, since the next ones depend on it, but not tried."""
    rng = random.Random(f"{seed}|{batch}")  # noqa: S311 - it must repeat
    skip = skip or {}
    verdicts: Verdicts = defaultdict(lambda: defaultdict(int))
    failures: list[dict[str, Any]] = []
    started = time.process_time()
    for index in range(size):
        share = rng.random()
        if share < SHARES[0]:
            trial, ask = mutations.credential_trial(rng, items), judge.judge_credential
        elif share < SHARES[1]:
            trial, ask = mutations.signature_trial(rng, items), judge.judge_signature
        else:
            trial, ask = mutations.key_trial(rng, items), judge.judge_key
        if at is not None:
            at.value = batch * BATCH + index
        verdict = skip.get(index) or ask(trial, items)
        verdicts[trial.kind][verdict] += 1
        if judge.is_bad(verdict) and len(failures) < KEPT_FAILURES:
            failures.append({"batch": batch, "index": index, "verdict": verdict, **describe(trial)})
    cpu_seconds = round(time.process_time() - started, 3)
    return {
        "batch": batch,
        "count": size,
        "cpu_seconds": cpu_seconds,
        "verdicts": {kind: dict(found) for kind, found in verdicts.items()},
        "failures": failures,
    }


def describe(trial: Any) -> dict[str, Any]:
    """A trial, so that it can be tried again by hand."""
    facts: dict[str, Any] = {"kind": trial.kind}
    match trial:
        case mutations.Trial():
            facts |= {"role": trial.role.name.lower(), "now": trial.now, "leaf": trial.leaf.hex(), "dc": trial.dc.hex()}
        case mutations.SignatureTrial():
            facts |= {"key": trial.original.name, "signature": trial.signature.hex(), "message": trial.message.hex()}
            facts["public_key"] = trial.raw.hex()
        case mutations.KeyTrial():
            facts |= {"scheme": trial.original.scheme.name, "der": trial.der.hex()}
    return {name: value if len(str(value)) <= 20_000 else f"{len(value)} hex digits" for name, value in facts.items()}


# ---- the state file


@contextmanager
def state_file(path: Path, plan: Plan) -> Iterator[tuple[IO[bytes], Tally]]:
    """The file, locked, at its end; and what it already holds.

    Raises:
        SystemExit: another campaign uses it, or it belongs to one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{path}: a campaign is running on it")
        file.seek(0)
        lines = file.read().splitlines(keepends=True)
        tally, good = Tally(), 0
        for number, line in enumerate(lines):
            if not line.endswith(b"\n"):
                break  # the last one was under way
            record = json.loads(line)
            if number == 0 and record != plan.header():
                sys.exit(f"{path}: it holds another campaign, {line.decode().strip()}")
            if number:
                tally.add(record)
            good += len(line)
        file.truncate(good)
        if not good:
            write_line(file, plan.header())
        yield file, tally


def write_line(file: IO[bytes], record: Mapping[str, Any]) -> None:
    file.write(json.dumps(record, separators=(",", ":"), sort_keys=True).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


# ---- workers


@dataclass(kw_only=True)
class Worker:
    process: multiprocessing.Process
    pipe: Connection
    at: Any  # the number of the mutation it is at
    batch: int | None = None
    seen: int = -1
    since: float = 0.0


_context = multiprocessing.get_context("fork")  # the corpus is built once, and shared


def _work(pipe: Connection, at: Any, seed: int, parent: int, lock: int) -> None:
    os.close(lock)  # or this process would hold it on when its parent has been killed
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    judge.watch_backends()
    items = corpus.build()
    while True:
        while not pipe.poll(1):
            if os.getppid() != parent:
                return
        batch, size, skip = pipe.recv()
        if batch is None:
            return
        pipe.send(run_batch(items, seed=seed, batch=batch, size=size, skip=skip, at=at))


def _hire(seed: int, file: IO[bytes]) -> Worker:
    ours, theirs = _context.Pipe()
    at = _context.RawValue("q", -1)
    process = _context.Process(target=_work, args=(theirs, at, seed, os.getpid(), file.fileno()), daemon=True)
    process.start()
    theirs.close()
    return Worker(process=process, pipe=ours, at=at)


def run(plan: Plan, *, jobs: int, path: Path, progress: Progress) -> Tally:
    """The rest of the campaign, from wherever the state file is."""
    with state_file(path, plan) as (file, tally):
        waiting = [(batch, {}) for batch in range(plan.batches()) if batch not in tally.done][::-1]
        workers = [_hire(plan.seed, file) for _ in range(min(jobs, len(waiting)))]
        skips: dict[int, dict[int, str]] = {}
        try:
            progress.begin(tally.count)
            while waiting or any(worker.batch is not None for worker in workers):
                for worker in workers:
                    if worker.batch is None and waiting:
                        worker.batch, skip = waiting.pop()
                        worker.seen, worker.since = -1, time.monotonic()
                        worker.pipe.send((worker.batch, plan.size_of(worker.batch), skip))
                busy = [worker for worker in workers if worker.batch is not None]
                ready = wait([worker.pipe for worker in busy], timeout=1)
                for number, worker in enumerate(workers):
                    if worker.batch is None:
                        continue
                    if worker.pipe in ready and (record := _received(worker)):
                        worker.batch = None
                        tally.add(record)
                        write_line(file, record)
                    elif fate := _fate(worker):
                        skip = skips.setdefault(worker.batch, {})
                        if worker.at.value >= 0:
                            skip[worker.at.value % BATCH] = fate
                        waiting.append((worker.batch, skip))
                        worker.process.kill()
                        worker.process.join()
                        workers[number] = _hire(plan.seed, file)
                progress.show(tally)
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.join()
        progress.show(tally, last=True)
        return tally


def _received(worker: Worker) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = worker.pipe.recv()
    except (EOFError, OSError):
        return None
    return record


def _fate(worker: Worker) -> str:
    """What became of a worker that has not answered; empty if it is at work."""
    if worker.process.exitcode is not None or worker.pipe.closed:
        code = worker.process.exitcode or 0
        return f"CRASH {signal.Signals(-code).name if code < 0 else code}"
    if worker.at.value != worker.seen:
        worker.seen, worker.since = worker.at.value, time.monotonic()
    return "HANG" if time.monotonic() - worker.since > STALLED_AFTER else ""


class Progress:
    """A line on stderr: over itself on a terminal, now and then otherwise."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.terminal = sys.stderr.isatty()
        self.every = 1 if self.terminal else 30
        self.next = 0.0

    def begin(self, already: int) -> None:
        self.already, self.started = already, time.monotonic()
        self.next = self.started + self.every

    def show(self, tally: Tally, *, last: bool = False) -> None:
        now = time.monotonic()
        if now < self.next and not last:
            return
        self.next = now + self.every
        rate = (tally.count - self.already) / max(now - self.started, 1e-9)
        left = (self.count - tally.count) / rate / 60 if rate else float("inf")
        text = (
            f"{tally.count:,} of {self.count:,} ({100 * tally.count / self.count:.1f} %), {rate:,.0f}/s, "
            f"{tally.bad()} bad, {left:.0f} min left"
        )
        end = "\n" if last or not self.terminal else ""
        sys.stderr.write(f"\r\x1b[K{text}{end}" if self.terminal else f"{text}\n")
        sys.stderr.flush()
