"""The house rules that a machine can check (docs/architecture.md), beyond import-linter and ruff."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string

from config.event_routes import ROUTES
from config.timetable import TIMETABLE
from core.events import Event

ROOT = Path(settings.BASE_DIR)
OUR_APPS = (
    "core",
    "wechat",
    "sms",
    "members",
    "guides",
    "coupons",
    "sales",
    "campaigns",
    "miniapp",
    "openapi",
)
DOMAIN_APPS = ("members", "guides", "coupons", "sales", "campaigns")
PACKAGES = (*OUR_APPS, "rest", "assistant", "config", "sandbox", "bench")
DOMAIN_FILES = {
    "__init__", "apps", "contracts", "errors", "events", "models", "selectors", "services", "tasks", "handlers",
    "admin", "migrations", "management",
}  # fmt: skip


def our_models() -> list[type[models.Model]]:
    return [
        model
        for label in OUR_APPS
        if apps.is_installed(label)
        for model in apps.get_app_config(label).get_models()
    ]


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public_functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_modules_stay_below_400_lines_and_functions_below_60() -> None:
    long_modules = [short(p) for p in sources(*PACKAGES) if len(p.read_text("utf-8").splitlines()) > 400]
    long_functions = [
        f"{short(p)}:{f.name}"
        for p in sources(*PACKAGES)
        for f in functions_of(p)
        if f.end_lineno - f.lineno >= 60  # type: ignore[operator]
    ]
    assert (long_modules, long_functions) == ([], [])


def test_foreign_keys_to_another_app_hide_their_reverse_side() -> None:
    bad = []
    for model in our_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey) and field.model is model:
                crosses = field.related_model._meta.app_label != model._meta.app_label
                if crosses and field.remote_field.related_name != "+":
                    bad.append(str(field))
    assert bad == []


def test_constraints_and_indexes_are_named_after_their_table_and_what_they_say() -> None:
    bad = []
    for model in our_models():
        named = [*model._meta.constraints, *model._meta.indexes]
        bad += [c.name for c in named if not c.name.startswith(f"{model._meta.model_name}_")]
    assert bad == []


def test_models_say_what_one_row_stands_for() -> None:
    assert [m.__name__ for m in our_models() if not m.__doc__ or m.__doc__.startswith(f"{m.__name__}(")] == []


def test_models_have_chinese_names() -> None:
    plain = [m.__name__ for m in our_models() if str(m._meta.verbose_name).isascii()]
    assert plain == []


def test_migrations_import_django_and_core_only() -> None:
    bad = []
    for app in OUR_APPS:
        for path in (ROOT / app / "migrations").glob("0*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                bad += [f"{short(path)}: {n}" for n in names if n.split(".")[0] not in {"django", "core"}]
    assert bad == []


def test_every_event_is_routed_and_every_handler_exists() -> None:
    ours = set()
    for app in OUR_APPS:
        if (ROOT / app / "events.py").exists():
            module = importlib.import_module(f"{app}.events")
            ours |= {v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Event)}
    assert ours - {Event} == set(ROUTES)
    for handlers in ROUTES.values():
        for path in handlers:
            assert callable(import_string(path)), path


def test_event_fields_survive_json() -> None:
    allowed = {"int", "str", "bool", "str | None", "int | None"}
    for kind in ROUTES:
        for name, annotation in kind.__annotations__.items():
            text = (
                annotation
                if isinstance(annotation, str)
                else getattr(annotation, "__name__", str(annotation))
            )
            assert text in allowed, f"{kind.__name__}.{name}: {text}"


def test_scope_functions_exist_and_name_real_tables() -> None:
    for label, path in import_string(settings.SCOPES).items():
        apps.get_model(label)
        assert callable(import_string(path))


def test_every_job_of_the_timetable_is_a_task() -> None:
    from config.celery import app

    app.loader.import_default_modules()
    assert [job["task"] for job in TIMETABLE.values() if job["task"] not in app.tasks] == []


@pytest.mark.parametrize("app", DOMAIN_APPS)
def test_a_domain_app_holds_the_agreed_files_only(app: str) -> None:
    names = {
        p.stem
        for p in (ROOT / app).iterdir()
        if p.suffix == ".py" or (p.is_dir() and p.name != "__pycache__")
    }
    assert names <= DOMAIN_FILES


def test_every_app_with_models_is_under_the_layer_contract() -> None:
    contract = (ROOT / ".importlinter").read_text()
    listed = contract.split("containers =")[1].split("layers")[0].split()
    with_models = [app for app in DOMAIN_APPS if list((ROOT / app).glob("models*"))]
    assert [app for app in with_models if app not in listed] == []
    assert [app for app in with_models if f"protected_modules = {app}.models\n" not in contract] == []


def service_files() -> list[Path]:
    return [p for p in sources(*OUR_APPS) if "services" in p.parts or p.stem == "services"]


def test_services_have_docstrings() -> None:
    bare = [
        f"{short(p)}:{f.name}"
        for p in service_files()
        for f in public_functions(p)
        if not ast.get_docstring(f)
    ]
    handlers = {path for paths in ROUTES.values() for path in paths}
    assert [b for b in bare if b.replace(".py:", ".").replace("/", ".") not in handlers] == []


def test_services_of_domain_apps_take_keywords_only() -> None:
    bad = []
    for path in service_files():
        if path.relative_to(ROOT).parts[0] in DOMAIN_APPS:
            bad += [f"{short(path)}:{f.name}" for f in public_functions(path) if len(f.args.args) > 1]
    assert bad == []


def test_saves_in_services_name_their_fields() -> None:
    """Saving every field writes old values over concurrent changes."""
    bad = []
    for path in service_files():
        saves = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if _is_save(node)]
        bad += [
            f"{short(path)}:{call.lineno}"
            for call in saves
            if not any(keyword.arg == "update_fields" for keyword in call.keywords)
        ]
    assert bad == []


def _is_save(node: ast.AST) -> TypeGuard[ast.Call]:
    """`row.save(…)`; with positional arguments it is a file's `save(name, …)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "save"
        and not node.args
    )


def test_services_never_queue_celery_tasks_themselves() -> None:
    bad = [
        short(p)
        for p in service_files()
        if ".delay(" in p.read_text("utf-8") or "apply_async" in p.read_text("utf-8")
    ]
    assert bad == []


def test_no_work_is_left_open() -> None:
    marks = ("TODO", "FIXME", "XXX", "NotImplementedError")
    bad = [f"{short(p)}: {m}" for p in sources(*PACKAGES) for m in marks if m in p.read_text("utf-8")]
    assert bad == []


def test_templates_are_handed_data_not_models() -> None:
    """A template that calls `.all` or `.count` runs a query where nobody looks for one."""
    bad = []
    for path in sorted((ROOT / "templates" / "assistant").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        bad += [f"{short(path)}: {call}" for call in (".all", ".count ", "_set", ".objects") if call in text]
    assert bad == []


def test_no_table_of_the_wiring_names_a_key_twice() -> None:
    """The later of two equal keys wins silently: a merge of two branches can switch handlers off."""
    doubled = []
    for path in sources("config"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Dict):
                keys = [ast.unparse(key) for key in node.keys if key is not None]
                doubled += [f"{short(path)}: {key}" for key in set(keys) if keys.count(key) > 1]
    assert doubled == []
