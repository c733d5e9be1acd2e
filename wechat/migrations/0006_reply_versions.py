"""What a rule said lives in its parts now; whoever changes a table of the rules raises the version of them all."""

from django.db import migrations

_FUNCTION = """
CREATE FUNCTION wechat_replies_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE wechat_account SET reply_version = reply_version + 1;
    RETURN NULL;
END $$
"""
_TABLES = ("wechat_replyrule", "wechat_replypart", "wechat_replyhours", "wechat_replyholiday")
# Statements, not rows, and all accounts at once: there are a handful of accounts, and nothing to get wrong.
_TRIGGER = """
CREATE TRIGGER replies_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION wechat_replies_changed()
"""


class Migration(migrations.Migration):

    dependencies = [("wechat", "0005_reply_parts")]

    operations = [
        migrations.RemoveField(
            model_name='replyrule',
            name='card_app_id',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='card_page',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='card_thumb',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='description',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='kind',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='picture_url',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='text',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='title',
        ),
        migrations.RemoveField(
            model_name='replyrule',
            name='url',
        ),
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION wechat_replies_changed()"),
        *(
            migrations.RunSQL(_TRIGGER.format(table=table), f"DROP TRIGGER replies_changed ON {table}")
            for table in _TABLES
        ),
    ]
