"""Everything of this app up to 0002 at once: databases that have those migrations count this one as done."""

import core.migration_operations
import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('core', '0001_first'), ('core', '0002_export_jobs')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='StaffAccount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                        ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                        ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                        ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                        ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                        ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                        ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ],
                    options={
                        'verbose_name': '后台账号',
                        'verbose_name_plural': '后台账号',
                        'abstract': False,
                    },
                    managers=[
                        ('objects', django.contrib.auth.models.UserManager()),
                    ],
                ),
                migrations.CreateModel(
                    name='AuditEntry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(db_index=True, verbose_name='时间')),
                        ('actor_kind', models.CharField(max_length=16, verbose_name='操作者类型')),
                        ('actor_id', models.BigIntegerField(null=True, verbose_name='操作者编号')),
                        ('actor_label', models.CharField(blank=True, max_length=80, verbose_name='操作者')),
                        ('action', models.CharField(max_length=80, verbose_name='动作')),
                        ('subject_kind', models.CharField(max_length=40, verbose_name='对象类型')),
                        ('subject_id', models.BigIntegerField(verbose_name='对象编号')),
                        ('details', models.JSONField(default=dict, verbose_name='详情')),
                    ],
                    options={
                        'verbose_name': '操作记录',
                        'verbose_name_plural': '操作记录',
                        'indexes': [models.Index(fields=['subject_kind', 'subject_id', '-at'], name='auditentry_for_subject')],
                    },
                ),
                migrations.CreateModel(
                    name='ExportJob',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('listed', models.CharField(editable=False, max_length=60)),
                        ('query', models.CharField(blank=True, editable=False, max_length=2000)),
                        ('state', models.CharField(choices=[('waiting', '生成中'), ('done', '可下载'), ('failed', '没有生成'), ('over', '已过期')], default='waiting', max_length=8, verbose_name='状态')),
                        ('row_count', models.PositiveIntegerField(default=0, verbose_name='条数')),
                        ('done_count', models.PositiveIntegerField(default=0, verbose_name='已写入')),
                        ('fault', models.CharField(blank=True, editable=False, max_length=20)),
                        ('stored_as', models.CharField(blank=True, editable=False, max_length=16)),
                        ('asked_at', models.DateTimeField(verbose_name='请求时间')),
                        ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                        ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='保留到')),
                        ('lease', models.CharField(blank=True, editable=False, max_length=16)),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('try_count', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='后台账号')),
                    ],
                    options={
                        'verbose_name': '导出文件',
                        'verbose_name_plural': '导出文件',
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['id'], name='exportjob_waiting')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('staff', 'listed', 'query'), name='exportjob_one_waiting')],
                    },
                ),
            ],
        ),
    ]
