"""Materials, guides' links to them, and who opened those."""

import core.codes
import django.db.models.deletion
from django.db import migrations, models

from core.migration_operations import Together


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0035_messages_of_the_erased"),
        ("coupons", "0001_squashed_0013"),
        ("guides", "0001_squashed_0012"),
        ("members", "0001_squashed_0017"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="Material",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=core.codes.new_public_id, editable=False, max_length=16, unique=True
                            ),
                        ),
                        ("title", models.CharField(max_length=30, verbose_name="标题")),
                        (
                            "category",
                            models.CharField(
                                help_text="例如：新品、搭配、活动、门店", max_length=12, verbose_name="分类"
                            ),
                        ),
                        (
                            "words",
                            models.TextField(
                                help_text="导购复制后发给顾客的话，可以写 {门店} 和 {导购}；最多 500 字",
                                verbose_name="话术",
                            ),
                        ),
                        (
                            "text",
                            models.TextField(
                                blank=True, help_text="顾客打开后，图片上方的文字；最多 2,000 字", verbose_name="正文"
                            ),
                        ),
                        ("link_url", models.CharField(blank=True, max_length=500, verbose_name="网页")),
                        ("link_label", models.CharField(blank=True, max_length=12, verbose_name="按钮文字")),
                        ("mini_page", models.CharField(blank=True, max_length=200, verbose_name="小程序页面")),
                        ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="开始时间")),
                        ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="结束时间")),
                        (
                            "state",
                            models.CharField(
                                choices=[("draft", "草稿"), ("published", "已发布"), ("withdrawn", "已撤回")],
                                default="draft",
                                editable=False,
                                max_length=9,
                                verbose_name="状态",
                            ),
                        ),
                        ("created_at", models.DateTimeField(editable=False, verbose_name="创建时间")),
                        ("changed_at", models.DateTimeField(editable=False, verbose_name="修改时间")),
                        ("published_at", models.DateTimeField(editable=False, null=True, verbose_name="发布时间")),
                        (
                            "batch",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="coupons.couponbatch",
                                verbose_name="附带的券",
                            ),
                        ),
                        (
                            "region",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="guides.region",
                                verbose_name="哪个区域用",
                            ),
                        ),
                        (
                            "store",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="guides.store",
                                verbose_name="或者哪家门店用",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "素材",
                        "verbose_name_plural": "素材",
                    },
                ),
                migrations.CreateModel(
                    name="MaterialPicture",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField()),
                        (
                            "picture",
                            models.ImageField(
                                height_field="height",
                                upload_to="materials/",
                                verbose_name="图片",
                                width_field="width",
                            ),
                        ),
                        ("thumb", models.ImageField(upload_to="materials/", verbose_name="小图")),
                        ("width", models.PositiveSmallIntegerField(editable=False)),
                        ("height", models.PositiveSmallIntegerField(editable=False)),
                        (
                            "material",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="pictures",
                                to="campaigns.material",
                                verbose_name="素材",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "素材图片",
                        "verbose_name_plural": "素材图片",
                    },
                ),
                migrations.CreateModel(
                    name="MaterialReader",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(editable=False, max_length=64, unique=True)),
                        ("is_known", models.BooleanField(default=False)),
                        ("seen_at", models.DateTimeField(verbose_name="最近打开")),
                        (
                            "member",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="members.member",
                                verbose_name="会员",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "素材访客",
                        "verbose_name_plural": "素材访客",
                    },
                ),
                migrations.CreateModel(
                    name="MaterialShare",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "token",
                            models.CharField(
                                default=core.codes.new_public_id, editable=False, max_length=16, unique=True
                            ),
                        ),
                        ("created_at", models.DateTimeField(verbose_name="创建时间")),
                        ("shared_at", models.DateTimeField(null=True, verbose_name="最近分享")),
                        ("view_count", models.PositiveIntegerField(default=0, verbose_name="浏览")),
                        ("visitor_count", models.PositiveIntegerField(default=0, verbose_name="访客")),
                        (
                            "guide",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="guides.guide",
                                verbose_name="导购",
                            ),
                        ),
                        (
                            "material",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="shares",
                                to="campaigns.material",
                                verbose_name="素材",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "素材分享",
                        "verbose_name_plural": "素材分享",
                    },
                ),
                migrations.CreateModel(
                    name="MaterialVisit",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("on", models.DateField(verbose_name="日期")),
                        ("view_count", models.PositiveIntegerField(verbose_name="浏览")),
                        ("first_at", models.DateTimeField(verbose_name="首次打开")),
                        ("last_at", models.DateTimeField(verbose_name="最近打开")),
                        ("carries", models.BooleanField(default=False)),
                        ("counted_at", models.DateTimeField(null=True)),
                        (
                            "guide",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="guides.guide",
                                verbose_name="导购",
                            ),
                        ),
                        (
                            "reader",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to="campaigns.materialreader",
                                verbose_name="访客",
                            ),
                        ),
                        (
                            "share",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to="campaigns.materialshare",
                                verbose_name="分享",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "素材浏览",
                        "verbose_name_plural": "素材浏览",
                    },
                ),
                migrations.AddIndex(
                    model_name="material",
                    index=models.Index(
                        condition=models.Q(("state", "published")),
                        fields=["-published_at", "-id"],
                        name="material_newest",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="material",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("region__isnull", True), ("store__isnull", True), _connector="OR"),
                        name="material_region_or_store",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="material",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at__isnull", True),
                            ("ends_at__isnull", True),
                            ("starts_at__lt", models.F("ends_at")),
                            _connector="OR",
                        ),
                        name="material_times_in_order",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="material",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("published_at__isnull", True), ("state", "draft")),
                            models.Q(("published_at__isnull", False), ("state__in", ["published", "withdrawn"])),
                            _connector="OR",
                        ),
                        name="material_published_has_a_time",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="materialpicture",
                    constraint=models.UniqueConstraint(
                        fields=("material", "position"), name="materialpicture_one_per_place"
                    ),
                ),
                migrations.AddIndex(
                    model_name="materialreader",
                    index=models.Index(
                        condition=models.Q(("member__isnull", False)),
                        fields=["member"],
                        name="materialreader_of_member",
                    ),
                ),
                migrations.AddIndex(
                    model_name="materialreader",
                    index=models.Index(fields=["seen_at"], name="materialreader_by_seen"),
                ),
                migrations.AddConstraint(
                    model_name="materialshare",
                    constraint=models.UniqueConstraint(
                        fields=("material", "guide"), name="materialshare_one_per_guide"
                    ),
                ),
                migrations.AddConstraint(
                    model_name="materialshare",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("visitor_count__lte", models.F("view_count"))),
                        name="materialshare_views_cover_visitors",
                    ),
                ),
                migrations.AddIndex(
                    model_name="materialvisit",
                    index=models.Index(
                        condition=models.Q(("carries", True), ("counted_at__isnull", True)),
                        fields=["id"],
                        name="materialvisit_uncounted",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="materialvisit",
                    constraint=models.UniqueConstraint(
                        fields=("share", "reader", "on"), name="materialvisit_once_a_day"
                    ),
                ),
                migrations.AddConstraint(
                    model_name="materialvisit",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("carries", True)),
                        fields=("share", "on"),
                        name="materialvisit_one_carries_a_day",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="materialvisit",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("carries", True)),
                        fields=("guide", "on", "reader"),
                        name="materialvisit_reader_carries_one",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="materialvisit",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("view_count__gte", 1)), name="materialvisit_was_seen"
                    ),
                ),
            ]
        ),
    ]
