"""Whoever books shares a lock with others and sees which months are closed, in one round trip."""

from django.db import migrations

# Volatile, so that its second statement looks after the lock is held: a close that was waited for is seen.
_CREATE = """
CREATE FUNCTION sales_share_close(lock bigint) RETURNS date[] LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock);
    RETURN ARRAY(SELECT month_on FROM sales_periodclose WHERE reopened_at IS NULL);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0019_board_marks")]

    operations = [migrations.RunSQL(_CREATE, "DROP FUNCTION sales_share_close(bigint)")]
