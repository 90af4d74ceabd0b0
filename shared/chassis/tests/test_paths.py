"""Locations stay within the project directory."""

from pathlib import Path

import pytest

from chassis.config import Settings
from chassis.paths import ProjectPaths
from chassis.rpc.errors import InvalidArgument, Violations


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (project / "data" / "rows.csv").write_text("a,b\n")
    (tmp_path / "outside.csv").write_text("a,b\n")
    return project


@pytest.fixture
def paths(project: Path) -> ProjectPaths:
    extra = project.parent / "extra"
    extra.mkdir()
    return ProjectPaths(Settings(service="test", project_dir=project, extra_roots=(extra,)))


def refusal(found: Violations) -> str:
    with pytest.raises(InvalidArgument) as refused:
        found.raise_if_any()
    return refused.value.message


def test_path_inside_the_project_is_found(paths: ProjectPaths, project: Path) -> None:
    found = Violations()
    file = project / "data" / "rows.csv"
    assert paths.file("location", "data/rows.csv", found) == file
    assert paths.file("location", str(file), found) == file
    assert paths.directory("location", "data", found) == project / "data"
    assert paths.directory("location", str(project.parent / "extra"), found) is not None
    found.raise_if_any()


@pytest.mark.parametrize("location", ["x" * 300, "x/" * 5000, "a\0b", "loop"])
def test_impossible_path_is_refused(paths: ProjectPaths, location: str) -> None:
    (paths.project / "loop").symlink_to("loop")
    for look in (paths.file, paths.directory):
        found = Violations()
        assert look("location", location, found) is None
        assert "is not a path: " in refusal(found)


@pytest.mark.parametrize("location", ["../outside.csv", "/etc/passwd", "data/../../outside.csv"])
def test_path_outside_the_project_is_refused(paths: ProjectPaths, location: str) -> None:
    found = Violations()
    assert paths.file("location", location, found) is None
    assert refusal(found) == f"location: {location!r} lies outside the project directory"


def test_links_are_followed_before_the_check(paths: ProjectPaths, project: Path) -> None:
    (project / "link.csv").symlink_to("../outside.csv")
    found = Violations()
    assert paths.file("location", "link.csv", found) is None
    assert "outside the project directory" in refusal(found)


@pytest.mark.parametrize("location", ["data", "missing.csv", "nul\0byte"])
def test_path_that_is_no_file_is_refused(paths: ProjectPaths, location: str) -> None:
    found = Violations()
    assert paths.file("location", location, found) is None
    assert refusal(found).startswith("location: ")
