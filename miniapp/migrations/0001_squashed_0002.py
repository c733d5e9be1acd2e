"""Everything of this app up to 0002 at once: databases that have those migrations count this one as done."""

import core.codes
import core.fields
import core.migration_operations
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('miniapp', '0001_first'), ('miniapp', '0002_forgotten_devices')]

    initial = True

    dependencies = [
        ('members', '0001_squashed_0017'),
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='Device',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('app_id', models.CharField(max_length=40, verbose_name='小程序')),
                        ('openid', models.CharField(max_length=64)),
                        ('install_key', models.CharField(blank=True, max_length=64)),
                        ('name', models.CharField(blank=True, max_length=40, verbose_name='设备')),
                        ('session_key', core.fields.SealedTextField(blank=True)),
                        ('opened_at', models.DateTimeField(verbose_name='登录时间')),
                        ('last_used_at', models.DateTimeField(verbose_name='最近使用')),
                        ('revoked_at', models.DateTimeField(null=True, verbose_name='退出时间')),
                        ('revoke_reason', models.CharField(blank=True, choices=[('logout', '在本机退出'), ('removed', '在别的设备上退出'), ('stolen', '登录状态异常'), ('replaced', '登录的设备太多'), ('forgotten', '在微信里撤回了授权')], max_length=10, verbose_name='退出原因')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                    ],
                    options={
                        'verbose_name': '会员设备',
                        'verbose_name_plural': '会员设备',
                        'indexes': [models.Index(fields=['member', '-last_used_at'], name='device_of_member'), models.Index(fields=['last_used_at'], name='device_by_last_used')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('revoke_reason', ''), ('revoked_at__isnull', True)), models.Q(('revoked_at__isnull', False), models.Q(('revoke_reason', ''), _negated=True)), _connector='OR'), name='device_revoked_for_a_reason')],
                    },
                ),
                migrations.CreateModel(
                    name='BearerToken',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('access', '访问令牌'), ('refresh', '刷新令牌')], max_length=8)),
                        ('digest', models.CharField(max_length=64, unique=True)),
                        ('issued_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField(db_index=True)),
                        ('used_at', models.DateTimeField(null=True)),
                        ('device', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='miniapp.device')),
                    ],
                    options={
                        'verbose_name': '登录令牌',
                        'verbose_name_plural': '登录令牌',
                        'constraints': [models.CheckConstraint(condition=models.Q(('kind', 'refresh'), ('used_at__isnull', True), _connector='OR'), name='bearertoken_only_refresh_is_used_up')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsCode',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('phone', core.fields.SealedTextField(verbose_name='手机号')),
                        ('phone_index', models.CharField(max_length=64)),
                        ('code_index', models.CharField(max_length=64)),
                        ('sent_at', models.DateTimeField(db_index=True, verbose_name='发送时间')),
                        ('expires_at', models.DateTimeField(verbose_name='有效期至')),
                        ('try_count', models.PositiveSmallIntegerField(default=0, verbose_name='已试次数')),
                        ('used_at', models.DateTimeField(null=True, verbose_name='使用时间')),
                        ('device', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='miniapp.device')),
                    ],
                    options={
                        'verbose_name': '短信验证码',
                        'verbose_name_plural': '短信验证码',
                        'indexes': [models.Index(fields=['phone_index', '-sent_at'], name='smscode_of_phone'), models.Index(fields=['device', '-sent_at'], name='smscode_of_device')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('try_count__lte', 5)), name='smscode_tries_end')],
                    },
                ),
            ],
        ),
    ]
