"""The benchmark measures every line. No figure is asserted: the machine may be busy."""

import json
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from benchmarks.bench.catalogue import entries
from benchmarks.bench.compare import compare
from benchmarks.bench.figures import FIGURES
from benchmarks.bench.load import percentile
from benchmarks.bench.results import Figure, Line, Run, UnreadableRun
from benchmarks.bench.settings import SMOKE
from benchmarks.bench.targets import TARGETS, verdict
from tests.support import REPOSITORY, run

pytestmark = pytest.mark.starts_processes


def test_every_line_is_measured(tmp_path: Path) -> None:
    file, chart = tmp_path / "run.json", tmp_path / "run.svg"
    command = (sys.executable, "-m", "benchmarks.bench", "--smoke")
    options = ("--json", str(file), "--chart", str(chart))
    done = run(*command, *options, cwd=REPOSITORY, seconds=850)
    assert done.returncode == 0, done.stdout + done.stderr
    wanted = {f"{one.name}/{callers}" for one in entries(SMOKE, []) for callers in one.callers}
    measured = Run.read(file)
    found = {line.key: line for line in measured.lines}
    assert wanted <= found.keys()
    assert {f"null{hops}-{size}/16" for hops in (1, 2) for size in (40, 30000, 300000)} <= set(
        found
    )
    for line in found.values():
        assert len(line.p50) == len(line.p99) == 1, line.key
        assert line.cpu, line.key
        assert f"{line.name} " in done.stdout
    assert {one.name for one in measured.figures if one.values} == set(FIGURES)
    assert {"facade", "prompts", "supervisord"} <= measured.memory.keys()
    assert chart.read_text().startswith("<?xml")
    same = "\n".join(compare(measured, Run.read(file)))
    assert same.startswith("0 of ")


def test_what_cannot_be_measured_is_named_and_fails() -> None:
    command = (sys.executable, "-m", "benchmarks.bench", "--only", "no-such-line")
    done = run(*command, cwd=REPOSITORY)
    assert done.returncode == 2
    assert "no-such-line" in done.stderr


def _run(p50: list[float], up: list[float]) -> Run:
    null = Line(name="null2-40", callers=1, title="null", p50=[1.0] * len(p50))
    get = Line(name="get", callers=1, title="GetPrompt", null="null2-40", p50=p50)
    figure = Figure(name="up-new", title="fts up", unit="s", values=up)
    machine = {"cores": 2, "processor": "x"}
    return Run(machine=machine, settings={}, lines=[null, get], figures=[figure])


def test_a_figure_has_moved_if_its_rounds_do_not_overlap() -> None:
    before = _run([2.0, 2.2, 2.1], [8.0, 9.0])
    said = "\n".join(compare(before, _run([1.1, 1.0, 1.2], [8.5, 9.5])))
    assert said.startswith("1 of 2 figures have moved")
    assert "get/1 p50 / null" in said
    assert "-48%" in said
    assert "up-new" not in said


def test_a_target_is_held_against_the_median_of_ratios() -> None:
    measured = _run([1.0, 1.1, 5.0], [])
    found = verdict(measured, measured.lines[1])
    assert found is not None
    assert (found.value, found.is_met) == (1.1, True)
    never = verdict(measured, measured.figures[0])
    assert never is not None
    assert not never.is_met


def test_every_target_is_of_something_that_is_measured() -> None:
    names = {one.name for one in entries(SMOKE, [])} | FIGURES.keys()
    for target in TARGETS:
        assert any(fnmatch(name, target.name) for name in names), target


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"format": 99}), '{"format": 1}'])
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(UnreadableRun, match=r"run\.json"):
        Run.read(file)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = _run([2.0], [8.0])
    written.write(tmp_path / "run.json")
    assert Run.read(tmp_path / "run.json") == written


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([1, 2, 3, 4], 0.99) == 4
    assert percentile(list(range(1, 201)), 0.99) == 198
    assert percentile([7], 0.5) == 7
