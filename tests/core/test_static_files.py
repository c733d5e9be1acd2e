"""Of a large front-end package the named files are collected, and nothing else."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from core.static_files import PackageFiles


@pytest.fixture
def package(tmp_path: Path, settings: object) -> Path:
    for name in ("wanted.min.js", "wanted.js.map"):
        (tmp_path / name).write_text("x")
    settings.PACKAGE_FILES = {  # type: ignore[attr-defined]
        "vendor/chart/wanted.min.js": tmp_path / "wanted.min.js",
        "vendor/gone/gone.js": tmp_path / "gone.js",
    }
    return tmp_path


def test_named_files_are_found_and_listed_and_no_others(package: Path) -> None:
    finder = PackageFiles()
    assert finder.find("vendor/chart/wanted.min.js") == str(package / "wanted.min.js")
    assert finder.find("vendor/chart/wanted.min.js", find_all=True) == [str(package / "wanted.min.js")]
    assert not finder.find("vendor/chart/wanted.js.map")
    assert not finder.find("vendor/gone/gone.js")
    [(name, storage)] = list(finder.list(None))
    with storage.open(name) as file:
        assert (storage.prefix, file.read()) == ("vendor/chart", b"x")
    assert list(finder.list(["*.min.js"])) == []


def test_the_admins_charts_are_served_where_the_package_is_installed() -> None:
    source = Path(__file__).resolve().parents[2] / "node_modules" / "echarts"
    assert bool(finders.find("vendor/echarts/echarts.common.min.js")) == source.exists()
