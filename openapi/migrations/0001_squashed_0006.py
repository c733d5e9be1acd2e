"""Everything of this app up to 0006 at once: databases that have those migrations count this one as done."""

import core.codes
import core.fields
import core.migration_operations
import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('openapi', '0001_first'), ('openapi', '0002_sales_scopes'), ('openapi', '0003_only_answered_calls'), ('openapi', '0004_behaviours_scope'), ('openapi', '0005_segments_scopes'), ('openapi', '0006_journeys_scope')]

    initial = True

    dependencies = [
        ('guides', '0001_squashed_0012'),
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='ApiClient',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True, verbose_name='密钥编号')),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('kind', models.CharField(choices=[('till', '收银机'), ('partner', '合作方系统')], default='till', max_length=8, verbose_name='类型')),
                        ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('verify', '验券'), ('members', '读会员码和会员的券'), ('price', '购物篮算价'), ('lock', '占用和释放券'), ('redeem', '核销'), ('return', '撤销和退货'), ('sales:write', '推送销售单据'), ('sales:read', '查询销售单据'), ('behaviours', '上报会员行为'), ('journeys', '让会员进入自动化旅程'), ('segments:read', '查询人群和里面的会员'), ('segments:write', '新建和修改人群')], max_length=16), size=None, verbose_name='权限')),
                        ('per_minute', models.PositiveIntegerField(default=600, verbose_name='每分钟最多请求')),
                        ('state', models.CharField(choices=[('active', '使用中'), ('revoked', '已停用')], default='active', max_length=8, verbose_name='状态')),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='最近使用')),
                        ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='停用时间')),
                        ('dealer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.dealer', verbose_name='经销商')),
                        ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                        ('source', models.CharField(default='pos', help_text='推送销售单据时的来源系统；同一来源里订单号不能重复，各店各自编号的收银系统请各用一个来源', max_length=16, verbose_name='单据来源')),
                    ],
                    options={
                        'verbose_name': '接口密钥',
                        'verbose_name_plural': '接口密钥',
                        'constraints': [models.CheckConstraint(condition=models.Q(('store__isnull', True), ('dealer__isnull', True), _connector='OR'), name='apiclient_one_place'), models.CheckConstraint(condition=models.Q(models.Q(('revoked_at__isnull', True), ('state', 'active')), models.Q(('revoked_at__isnull', False), ('state', 'revoked')), _connector='OR'), name='apiclient_revoked_at_a_time'), models.CheckConstraint(condition=models.Q(('per_minute__gt', 0)), name='apiclient_limit_positive'), models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='apiclient_source_is_named')],
                    },
                ),
                migrations.CreateModel(
                    name='ApiCall',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(max_length=60)),
                        ('fingerprint', models.CharField(max_length=64)),
                        ('started_at', models.DateTimeField(db_index=True)),
                        ('status', models.PositiveSmallIntegerField()),
                        ('answer', models.TextField()),
                        ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='openapi.apiclient')),
                    ],
                    options={
                        'verbose_name': '写操作',
                        'verbose_name_plural': '写操作',
                        'constraints': [models.UniqueConstraint(fields=('client', 'key'), name='apicall_key_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ApiNonce',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('nonce', models.CharField(max_length=64)),
                        ('seen_at', models.DateTimeField(db_index=True)),
                        ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='openapi.apiclient')),
                    ],
                    options={
                        'verbose_name': '已用签名',
                        'verbose_name_plural': '已用签名',
                        'constraints': [models.UniqueConstraint(fields=('client', 'nonce'), name='apinonce_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ApiRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(db_index=True, verbose_name='时间')),
                        ('method', models.CharField(max_length=7, verbose_name='方法')),
                        ('endpoint', models.CharField(max_length=40, verbose_name='接口')),
                        ('status', models.PositiveSmallIntegerField(verbose_name='状态码')),
                        ('code', models.CharField(blank=True, max_length=60, verbose_name='错误码')),
                        ('took_ms', models.PositiveIntegerField(verbose_name='用时（毫秒）')),
                        ('is_replay', models.BooleanField(default=False, verbose_name='重复请求')),
                        ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='openapi.apiclient', verbose_name='密钥')),
                    ],
                    options={
                        'verbose_name': '接口请求',
                        'verbose_name_plural': '接口请求',
                        'indexes': [models.Index(fields=['client', '-id'], name='apirequest_of_client')],
                    },
                ),
                migrations.CreateModel(
                    name='ApiSecret',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('secret', core.fields.SealedTextField()),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='失效时间')),
                        ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='secrets', to='openapi.apiclient')),
                    ],
                    options={
                        'verbose_name': '接口密钥内容',
                        'verbose_name_plural': '接口密钥内容',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ends_at__isnull', True)), fields=('client',), name='apisecret_one_newest')],
                    },
                ),
            ],
        ),
    ]
