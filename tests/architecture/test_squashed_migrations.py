"""A database begun with the squashed migrations is one that went through all of them."""

from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


def _replaced() -> MigrationLoader:
    """The graph as a database sees it that stands in the middle of what was squashed."""
    return MigrationLoader(None, replace_migrations=False)


def _state(loader: MigrationLoader, squashed: bool) -> ProjectState:
    """After everything squashed; the other way to the same place are the migrations it replaces."""
    ends = [
        key if squashed else (key[0], loader.disk_migrations[key].replaces[-1][1])
        for key, migration in loader.disk_migrations.items()
        if migration.replaces and migration.app_label in _OURS
    ]
    return loader.project_state(ends)


_OURS = frozenset(
    app for app, name in MigrationLoader(None).disk_migrations if name.startswith("0001_squashed_")
)


def test_squashed_migrations_replace_all_before_them_in_order() -> None:
    disk = _replaced().disk_migrations
    for app in sorted(_OURS):
        (squashed,) = (m for (label, _name), m in disk.items() if label == app and m.replaces)
        last = squashed.name.rpartition("_")[2]
        before = sorted(
            name for label, name in disk if label == app and name[:4] <= last and name != squashed.name
        )
        assert squashed.replaces == [(app, name) for name in before]


def test_both_ways_lead_to_the_same_models() -> None:
    loader = _replaced()
    one, other = _state(loader, squashed=True), _state(loader, squashed=False)
    ours = {key for key in other.models if key[0] in _OURS}
    assert ours == {key for key in one.models if key[0] in _OURS}
    assert len(ours) > 200
    assert MigrationAutodetector(one, other).changes(loader.graph) == {}
    assert MigrationAutodetector(other, one).changes(loader.graph) == {}
