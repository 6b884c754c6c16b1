"""python -m tests.differential.run --steps N --seed S [--s3] [--self] [--blockstore mem|local|s3]"""

import argparse
import json
import re
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

from .accepted import REST, S3
from .normal import Normal, wrong_commit_ids
from .ops import Op, Side, shorten
from .presign_requests import PresignRequests
from .rest_requests import RestRequests
from .servers import Server, Unavailable

SESSION = 70


@dataclass
class Difference:
    op: Op
    parts: set[str]
    reference: dict
    tarn: dict
    target: str

    def parts_ways(self) -> bool:
        """The two states differ from here on: what follows would only repeat it."""
        ref, tarn = self.reference["status"] < 300, self.tarn["status"] < 300
        wrote = self.op.method not in ("GET", "HEAD")
        return wrote and (ref != tarn or "body" in self.parts and ref and self.op.name != "findMergeBase")

    def signature(self) -> tuple:
        """What makes two findings the same one."""
        def text(side):
            body = side["body"]
            message = body.get("message", "") if isinstance(body, dict) else str(body)[:60]
            plain = re.sub(r"'[^']*'|<[^>]*>|[^a-z:]+", "", str(message))
            return side["status"], plain[:40]
        return self.op.name, frozenset(self.parts), text(self.reference), text(self.tarn)

    def show(self) -> str:
        out = [f"{self.op.line()}", f"  differs in {sorted(self.parts)}"]
        for name, side in (("reference", self.reference), ("tarn", self.tarn)):
            out.append(f"  {name:9} {side['status']} {shorten(json.dumps(side['body'], ensure_ascii=False), 1500)}")
            heads = {h: side["headers"].get(h) for h in sorted(self.parts) if h in side["headers"]}
            if heads:
                out.append(f"            headers {heads}")
        if isinstance(self.reference["body"], (dict, list)) and isinstance(self.tarn["body"], (dict, list)):
            out += ["  " + line for line in tree_difference(self.reference["body"], self.tarn["body"])[:6]]
        return "\n".join(out)


def tree_difference(a, b, where: str = "") -> list[str]:
    if type(a) is not type(b):
        return [f"{where}: {shorten(repr(a), 300)} | {shorten(repr(b), 300)}"]
    if isinstance(a, dict):
        return [line for k in sorted(a.keys() | b.keys()) for line in
                ([f"{where}.{k}: only one side has it: {shorten(repr(a.get(k, b.get(k))), 200)} ({'reference' if k in a else 'tarn'})"] if (k in a) != (k in b)
                 else tree_difference(a[k], b[k], f"{where}.{k}"))]
    if isinstance(a, list):
        lines = [line for i, (x, y) in enumerate(zip(a, b)) for line in tree_difference(x, y, f"{where}[{i}]")]
        return lines + ([f"{where}: {len(a)} items | {len(b)} items"] if len(a) != len(b) else [])
    return [] if a == b else [f"{where}: {shorten(repr(a), 300)} | {shorten(repr(b), 300)}"]


@dataclass
class Pair:
    """Both servers, and what was seen."""

    reference: Server
    tarn: Server
    accepted: list
    seen: Counter = field(default_factory=Counter)
    used: Counter = field(default_factory=Counter)
    steps: int = 0

    def run(self, ops: list[Op], ids: str, stop_at_first: bool = True) -> list[Difference]:
        """In a new repository; the same name on both sides."""
        name = "d" + uuid.uuid4().hex[:10]
        servers = (self.reference, self.tarn)
        for server in servers:
            server.make_space(name)
        sides = [Side(name), Side(name)]
        lines = [s.connect() for s in servers]
        normals = [Normal(ids, str(s.directory)) for s in servers]
        found: list[Difference] = []
        for op in ops:
            self.steps += 1
            if ids != "masked" and op.name == "createRepository":
                await_early_second()
            answers = []
            for side, line, normal in zip(sides, lines, normals):
                reply = exchange(side, line, op)
                side.learn(op, reply)
                answers.append(normal.reply(op, reply))
                answers[-1]["wrong ids"] = raw_wrong_ids(reply)
            if op.pause:
                time.sleep(op.pause)
            self.seen[(op.name, answers[0]["status"])] += 1
            difference = compare(op, *answers, sides[1].target(op))
            if difference is None:
                continue
            if self._accepted(difference):
                if difference.parts_ways():
                    break
                continue
            found.append(difference)
            if stop_at_first or difference.parts_ways() or not all(s.alive() for s in servers):
                break
        return found

    def _accepted(self, difference: Difference) -> bool:
        for rule in self.accepted:
            if rule.explains(difference.op, difference.reference, difference.tarn, difference.parts):
                self.used[rule.reason] += 1
                return True
        return False


def raw_wrong_ids(reply) -> list[str]:
    if reply.header("content-type") != "application/json" or not reply.body:
        return []
    try:
        return wrong_commit_ids(json.loads(reply.body))
    except (ValueError, TypeError):
        return []


def exchange(side: Side, line, op: Op):
    method, target, headers, body = side.request(op)
    if op.signed:
        from .s3_requests import sign
        method, target, headers, body = sign(line, method, target, headers, body)
    elif op.login:
        headers = [*headers, ("Authorization", line.basic)]
    return line.send(method, target, headers, body)


def compare(op: Op, ref: dict, tarn: dict, target: str) -> Difference | None:
    parts = set()
    if ref["status"] != tarn["status"]:
        parts.add("status")
    if ref["body"] != tarn["body"]:
        parts.add("body")
    if tarn["wrong ids"]:
        parts.add("commit id is not the digest of the commit")
    parts |= {h for h in ref["headers"].keys() | tarn["headers"].keys() if ref["headers"].get(h) != tarn["headers"].get(h)}
    return Difference(op, parts, ref, tarn, target) if parts else None


def await_early_second() -> None:
    """A repository's first commit takes its id from the current second: both servers need the same."""
    while time.time() % 1 > 0.3:
        time.sleep(0.01)


def shrink(pair: Pair, ops: list[Op], ids: str, wanted: tuple, budget: float = 12.0) -> list[Op]:
    """Delta debugging: the fewest requests after which the same difference is still there."""
    slow = sum(op.pause for op in ops)
    deadline = time.monotonic() + budget + 5 * slow

    def fails(candidate: list[Op]) -> bool:
        return any(d.signature() == wanted for d in pair.run(candidate, ids, stop_at_first=False))

    pieces = 2
    while len(ops) > 1 and time.monotonic() < deadline:
        size = max(1, len(ops) // pieces)
        for start in range(0, len(ops), size):
            candidate = ops[:start] + ops[start + size:]
            if candidate and fails(candidate):
                ops, pieces = candidate, max(2, pieces - 1)
                break
            if time.monotonic() > deadline:
                break
        else:
            if size == 1:
                break
            pieces = min(len(ops), pieces * 2)
    return ops


def sessions(arguments, number: int):
    """(requests, what to do with ids) of the n-th session of a seed."""
    seed = arguments.seed * 1_000_003 + number
    if arguments.s3:
        from .s3_requests import S3Requests
        return S3Requests(seed, arguments.blockstore).session(SESSION), "named"
    if arguments.blockstore == "s3":
        return PresignRequests(seed).session(SESSION), "named"
    clock = number % 3 != 0
    protect = arguments.protect and number % 5 == 4
    many_keys = number % 6 == 1
    made = RestRequests(seed, clock, arguments.blockstore, protect, many_keys).session(SESSION)
    if many_keys:
        return made, "masked"
    return made, "named" if clock or arguments.blockstore != "mem" else "exact"


def check(arguments, pair: Pair) -> int:
    known: set[tuple] = set()
    number = arguments.session or 0
    unexplained = 0
    while pair.steps < arguments.steps and unexplained < arguments.most:
        ops, ids = sessions(arguments, number)
        before = pair.steps
        for difference in pair.run(ops, ids, stop_at_first=False):
            signature = difference.signature()
            if signature in known:
                continue
            known.add(signature)
            unexplained += 1
            print(f"--- difference {unexplained} (seed {arguments.seed}, session {number}, ids {ids})")
            print(difference.show())
            if arguments.shrink:
                steps = pair.steps
                position = next(i for i, op in enumerate(ops) if op is difference.op)
                short = shrink(pair, ops[: position + 1], ids, signature)
                pair.steps = steps
                print("  reproduction:")
                for op in short:
                    print(f"    {op.line()}")
            sys.stdout.flush()
            for server in (pair.reference, pair.tarn):
                if not server.alive():
                    print(f"{server.kind} DIED: {server.log_tail()}")
                    return unexplained
            if unexplained >= arguments.most:
                break
        assert pair.steps > before
        if arguments.session is not None:
            break
        number += 1
    return unexplained


def parse(argv) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.differential.run")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--session", type=int, help="only this session of the seed")
    parser.add_argument("--s3", action="store_true")
    parser.add_argument("--self", action="store_true", help="the reference against itself: shows that only volatile things are mapped")
    parser.add_argument("--blockstore", default="mem", choices=["mem", "local", "s3"], help="s3: on moto, and only what concerns presigned URLs")
    parser.add_argument("--protect", action="store_true", help="also branch protection (slow: the reference caches rules)")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--most", type=int, default=20, help="stop after so many differences")
    parser.add_argument("--coverage", action="store_true", help="print how often each operation gave each status")
    return parser.parse_args(argv)


def main(argv=None) -> int:
    arguments = parse(argv)
    servers = []
    try:
        servers.append(Server("reference", arguments.blockstore))
        servers.append(Server("reference" if arguments.self else "tarn", arguments.blockstore))
        pair = Pair(*servers, [] if arguments.self else S3 if arguments.s3 else REST)
        started = time.monotonic()
        unexplained = check(arguments, pair)
        print(f"{pair.steps} steps, seed {arguments.seed}: {unexplained} unexplained differences, {sum(pair.used.values())} accepted, {time.monotonic() - started:.0f} s")
        if arguments.coverage:
            for (name, status), count in sorted(pair.seen.items()):
                print(f"  {name} {status}: {count}")
        for reason, count in pair.used.most_common():
            print(f"  accepted {count:5}: {reason}")
        return 1 if unexplained else 0
    except Unavailable as problem:
        print(f"SKIPPED: {problem}")
        return 77
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
