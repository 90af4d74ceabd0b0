"""Measures the studio against null servers: `python -m benchmarks.bench --help`, or `make bench`.

Exit status 0 if every line was measured, whatever the figures are; 1 if one was not or a process
died; 2 for options that cannot be used.
"""

import argparse
import dataclasses
import fnmatch
import signal
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.bench.chart import draw
from benchmarks.bench.compare import compare
from benchmarks.bench.report import report
from benchmarks.bench.results import Run, UnreadableRun, machine
from benchmarks.bench.session import Session, names
from benchmarks.bench.settings import SMOKE, Settings

CHARTS = (".svg", ".png", ".pdf")


def main() -> int:
    """Runs it; the exit status."""
    options = _options()
    settings = SMOKE if options.smoke else Settings()
    given = {"rounds": options.rounds, "large_rows": options.rows, "seconds": options.seconds}
    settings = dataclasses.replace(settings, **{k: v for k, v in given.items() if v is not None})
    before = None
    if options.compare:
        try:
            before = Run.read(options.compare)
        except UnreadableRun as unreadable:
            print(f"--compare: {unreadable}", file=sys.stderr)
            return 2
    run = Run(machine=machine(), settings=dataclasses.asdict(settings))
    run.settings["callers"] = list(settings.callers)
    begin = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begin:6.0f} s  {text}", file=sys.stderr, flush=True)

    async def measure() -> None:
        # As Ctrl-C does it: the studio is stopped before the end.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        # Not in the folder of the repository: paths of sockets must be short.
        with tempfile.TemporaryDirectory(prefix="fts-bench-", ignore_cleanup_errors=True) as folder:
            await Session(run, settings, options.only, Path(folder), say).measure()

    uvloop.run(measure())
    run.seconds = time.monotonic() - begin
    print("\n".join(report(run)))
    if options.json:
        run.write(options.json)
    if options.chart:
        draw(run, options.chart)
    if before is not None:
        print("\n".join(compare(before, run)))
    return 1 if run.all_faults() else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench",
        description="Measures the studio against null servers of the same kind, in one run.",
    )
    text = "only lines and figures with these names, such as `get` or 'page-*'"
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=text)
    parser.add_argument("--rounds", type=int, help="rounds; 5 unless given")
    parser.add_argument("--seconds", type=float, help="seconds of each line in a round")
    parser.add_argument("--rows", type=int, help="prompts in the large studio; 100000 unless given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes all figures")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draws a chart, .svg or .png")
    text = "says what has moved since an earlier run with --json"
    parser.add_argument("--compare", type=Path, metavar="FILE", help=text)
    text = "measures every line for a moment with few rows, to see that it can be measured"
    parser.add_argument("--smoke", action="store_true", help=text)
    options = parser.parse_args()
    if options.chart and options.chart.suffix not in CHARTS:
        parser.error(f"--chart: {options.chart} must end in {', '.join(CHARTS)}")
    for pattern in options.only:
        if not fnmatch.filter(names(), pattern):
            parser.error(f"--only: no line or figure is called {pattern}")
    for name, least in (("rounds", 1), ("seconds", 0.01), ("rows", 2 * Settings().page)):
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name}: must be at least {least}, not {value}")
    return options


if __name__ == "__main__":
    sys.exit(main())
