"""Settings from the environment: sloppy values stop the start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.env import BadSetting, Env

ROOT = Path(__file__).resolve().parents[2]


def test_values_are_read_strictly(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    env = Env({"A": "Yes", "B": "0", "N": "12", "W": "a, b,,c", "S_FILE": str(tmp_path / "secret"), "E": ""})
    assert env.flag("A", default=False) is True
    assert env.flag("B", default=True) is False
    assert env.whole("N", 1) == 12
    assert env.words("W") == ["a", "b", "c"]
    assert env.secret("S") == "from a file"
    assert env.text("E", "fallback") == "fallback"
    assert not env.has("E")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda env: env.flag("F", default=True), "F"),
        (lambda env: env.whole("N", 1), "N"),
        (lambda env: env.text("MISSING"), "MISSING"),
        (lambda env: env.secret("MISSING"), "MISSING"),
    ],
)
def test_the_complaint_names_the_setting(call: object, name: str) -> None:
    with pytest.raises(BadSetting, match=name):
        call(Env({"F": "maybe", "N": "ten"}))  # type: ignore[operator]


def check(**settings: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in {"SECRET_KEY", "FIELD_KEYS", "INDEX_KEY"}}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"],
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_refuses_to_start_without_its_own_secrets() -> None:
    done = check(PRODUCTION="true")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_every_program_refuses_an_unsafe_production_start() -> None:
    """Web servers and workers run no checks of their own; loading the apps is what they all do."""
    environment = os.environ | {
        "PRODUCTION": "true",
        "SECRET_KEY": "s" * 60,
        "FIELD_KEYS": "k1:" + "A" * 43 + "=",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "core.E002 INDEX_KEY missing" in done.stderr


def test_production_refuses_samples_wildcards_and_a_stand_in() -> None:
    done = check(
        PRODUCTION="true",
        SECRET_KEY="insecure-sample" + "x" * 50,
        ALLOWED_HOSTS="*",
        WECHAT_BASE_URL="http://127.0.0.1:8002",
        SMS_GATEWAY="tencent",
        SMS_ENDPOINT="http://127.0.0.1:8002/sms",
    )
    assert all(f"core.E00{n}" in done.stderr for n in range(1, 6))


def test_an_unknown_gateway_for_texts_stops_the_start() -> None:
    done = check(SMS_GATEWAY="pigeon")
    assert done.returncode != 0
    assert "SMS_GATEWAY takes console, tencent or nothing" in done.stderr


def test_production_starts_when_all_is_given() -> None:
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    done = check(
        PRODUCTION="true",
        SECRET_KEY="s" * 60,
        FIELD_KEYS=f"k1:{key}",
        INDEX_KEY=key,
        ALLOWED_HOSTS="crm.example.com",
        PUBLIC_BASE_URL="https://crm.example.com",
    )
    assert done.returncode == 0, done.stderr


def test_every_setting_is_in_the_deployment_page() -> None:
    import re

    names = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config" / "settings.py").read_text())
    page = (ROOT / "docs" / "deployment.md").read_text()
    assert names
    assert [name for name in names if f"`{name}`" not in page] == []
