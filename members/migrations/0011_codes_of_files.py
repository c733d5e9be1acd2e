"""Refusals of files are everybody's: failures that were kept under the members' codes have the new ones."""

from django.db import migrations

CODES = {
    "members.import_file_empty": "core.file_empty",
    "members.import_file_too_large": "core.file_too_large",
    "members.import_file_broken": "core.file_broken",
    "members.import_file_unsupported": "core.file_unsupported",
    "members.import_file_unreadable": "core.file_unreadable",
    "members.import_has_no_rows": "core.file_has_no_rows",
    "members.import_too_wide": "core.file_too_wide",
    "members.import_too_long": "core.file_too_long",
    "members.import_cell_too_large": "core.file_cell_too_large",
    "members.import_file_gone": "core.file_gone",
}


def rename(apps, schema_editor):
    jobs = apps.get_model("members", "ImportJob").objects
    for old, new in CODES.items():
        jobs.filter(failure=old).update(failure=new)


def rename_back(apps, schema_editor):
    jobs = apps.get_model("members", "ImportJob").objects
    for old, new in CODES.items():
        jobs.filter(failure=new).update(failure=old)


class Migration(migrations.Migration):
    dependencies = [("members", "0010_given_through")]

    operations = [migrations.RunPython(rename, rename_back)]
