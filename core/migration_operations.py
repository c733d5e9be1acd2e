"""Operations for migrations that Django does not have."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.operations.models import IndexOperation
from django.db.migrations.state import ProjectState


class Together(Operation):
    """Several operations as one, none of which needs what another one of them makes, but for indexes and constraints.

    Django renders the classes of all related models anew after every single operation, which for two hundred models takes
    most of the time of migrating an empty database. Here they are rendered once. Indexes and constraints of a model that is
    created here are made with its table; foreign keys are added by the migration's end, so that models may refer to each
    other.
    """

    category = OperationCategory.ALTERATION
    serialization_expand_args = ["operations"]

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = list(operations)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"operations": self.operations}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)  # a cached property: who asks next renders all
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in self._of_the_database():
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in reversed(self._of_the_database()):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def _of_the_database(self) -> list[Operation]:
        created = {one.name_lower for one in self.operations if isinstance(one, CreateModel)}
        return [
            one
            for one in self.operations
            if not (isinstance(one, IndexOperation) and one.model_name_lower in created)
        ]

    def references_model(self, name: str, app_label: str) -> bool:
        return any(operation.references_model(name, app_label) for operation in self.operations)

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)


class CreateModels(Together):
    """Creates the tables of many models at once, in any order."""

    category = OperationCategory.ADDITION
    serialization_expand_args = ["models"]

    def __init__(self, models: Sequence[CreateModel]) -> None:
        super().__init__(models)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"models": self.operations}
