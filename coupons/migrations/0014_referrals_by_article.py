"""Claims are counted by what led to them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("coupons", "0001_squashed_0013"),
        ("guides", "0001_squashed_0012"),
        ("members", "0001_squashed_0017"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="couponreferral",
            index=models.Index(
                condition=models.Q(("article", ""), _negated=True),
                fields=["article"],
                name="couponreferral_of_article",
            ),
        ),
    ]
