"""The result file, and the table in docs/performance.md made from it."""

import pathlib
import platform
import re

BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"
PLACES = {"embedded": "measured", "postgres": "measured on postgres",
          "postgres-s3": "measured on postgres and s3"}
# How many times less server CPU than the reference each kind of operation is to need.
TARGETS = {
    "embedded": {"metadata": 8.0, "listing": 8.0, "commit": 8.0, "upload": 3.0, "read": 5.0},
    "postgres": {"metadata": 3.0, "listing": 5.0, "commit": 5.0, "bulk": 3.0, "upload": 3.0, "read": 3.0},
}
TARGETS["postgres-s3"] = TARGETS["postgres"]


def machine() -> dict:
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    cores = pathlib.Path("/proc/cpuinfo").read_text().count("processor\t")
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cores": cores,
        "memory_gib": round(int(memory.group(1)) / 1048576),
        "kernel": platform.release(),
    }


def load_average() -> float:
    return float(pathlib.Path("/proc/loadavg").read_text().split()[0])


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def milliseconds(value_us: float) -> str:
    return figure(value_us / 1000) if value_us >= 100_000 else f"{value_us / 1000:.2f}"


def ratio(result: dict, key: str) -> float | None:
    servers = result["servers"]
    if len(servers) < 2 or not servers["tarn"][key]:
        return None
    return servers["reference"][key] / servers["tarn"][key]


def row(result: dict, stores: str) -> str:
    cells = [result["name"], str(result["connections"])]
    tarn, reference = (result["servers"].get(name) for name in ("tarn", "reference"))
    for key, form in (("cpu_us", figure), ("ops_per_second", figure), ("p50_us", milliseconds), ("p99_us", milliseconds)):
        cells += [form(side[key]) if side else "-" for side in (tarn, reference)]
    times = ratio(result, "cpu_us")
    target = TARGETS[stores].get(result["kind"])
    text = "-" if times is None else f"{times:.1f}"
    if times is not None and target:
        text = f"**{text}**" if times >= target else f"{text} (of {target:.0f})"
    if any(side and side["failed"] for side in (tarn, reference)):
        cells[0] += " (failed: " + ", ".join(f"{n} {s['failed']}" for n, s in result["servers"].items()) + ")"
    return "| " + " | ".join(cells + [text]) + " |"


def table(run: dict) -> str:
    m, versions = run["machine"], run["versions"]
    lines = [
        f"{run['date']}, {m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, Linux {m['kernel']}; "
        f"tarn {versions.get('tarn', '-')}, reference {versions.get('reference', '-')}; load average "
        f"{run['load_average'][0]} at the start, {run['load_average'][1]} at the end; {run['rounds']} rounds.",
        "",
        "| operation | connections | CPU µs/op tarn | ref | op/s tarn | ref | p50 ms tarn | ref "
        "| p99 ms tarn | ref | times less CPU |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(row(result, run["stores"]) for result in run["operations"]),
        "",
        "| | tarn | reference |",
        "|---|--:|--:|",
    ]
    for label, key in (("start, empty (ms)", "start_ms"), ("start with all repositories (ms)", "restart_ms"),
                       ("memory, idle (MiB)", "idle_mib"), ("memory after the run (MiB)", "after_mib"),
                       ("memory, highest (MiB)", "peak_mib")):
        lines.append("| " + " | ".join([label] + [str(run["process"].get(n, {}).get(key, "-"))
                                                  for n in ("tarn", "reference")]) + " |")
    return "\n".join(lines)


def write_table(run: dict, document: pathlib.Path) -> None:
    if run["stores"] not in PLACES:
        return
    begin, end = (mark.format(PLACES[run["stores"]]) for mark in (BEGIN, END))
    text = document.read_text()
    before, rest = text.split(begin, 1)
    document.write_text(before + begin + "\n" + table(run) + "\n" + end + rest.split(end, 1)[1])
