"""Everything of this app up to 0003 at once: databases that have those migrations count this one as done."""

import core.fields
import core.migration_operations
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('sms', '0001_first'), ('sms', '0002_gateway'), ('sms', '0003_trials_pulls_spending')]

    initial = True

    dependencies = [
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='SmsMessage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('phone', core.fields.SealedTextField(verbose_name='手机号')),
                        ('phone_tail', models.CharField(max_length=4, verbose_name='手机尾号')),
                        ('template', models.CharField(max_length=40, verbose_name='模板')),
                        ('params', core.fields.SealedTextField(blank=True, verbose_name='内容')),
                        ('reason_key', models.CharField(max_length=80, unique=True, verbose_name='事由')),
                        ('state', models.CharField(choices=[('queued', '待发送'), ('sending', '发送中'), ('sent', '已发送'), ('delivered', '已送达'), ('failed', '未送达')], default='queued', max_length=9, verbose_name='状态')),
                        ('queued_at', models.DateTimeField(verbose_name='创建时间')),
                        ('not_before', models.DateTimeField(verbose_name='最早发送')),
                        ('send_before', models.DateTimeField(help_text='过了这个时间就不再发送', verbose_name='最晚发送')),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='尝试次数')),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='完成时间')),
                        ('outcome', models.CharField(blank=True, max_length=60, verbose_name='结果')),
                        ('provider_ref', models.CharField(blank=True, max_length=80, verbose_name='服务商回执号')),
                        ('cost_hundredths', models.PositiveIntegerField(default=0, verbose_name='费用')),
                        ('segment_count', models.PositiveSmallIntegerField(default=0, verbose_name='计费条数')),
                    ],
                    options={
                        'verbose_name': '验证码短信',
                        'verbose_name_plural': '验证码短信',
                        'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['not_before'], name='smsmessage_due_queue'), models.Index(fields=['queued_at'], name='smsmessage_by_queued'), models.Index(condition=models.Q(('provider_ref', ''), _negated=True), fields=['provider_ref'], name='smsmessage_by_ref')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsBlock',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('phone_index', models.CharField(editable=False, max_length=80, unique=True)),
                        ('phone_tail', models.CharField(max_length=4, verbose_name='手机尾号')),
                        ('reason', models.CharField(choices=[('opted_out', '回复了退订'), ('blacklisted', '在服务商的免打扰名单里')], max_length=11, verbose_name='原因')),
                        ('blocked_at', models.DateTimeField(verbose_name='时间')),
                        ('until', models.DateTimeField(blank=True, null=True, verbose_name='到期')),
                    ],
                    options={
                        'verbose_name': '不发短信的号码',
                        'verbose_name_plural': '不发短信的号码',
                    },
                ),
                migrations.CreateModel(
                    name='SmsLane',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('rate_per_s', models.PositiveIntegerField(default=200, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5000)], verbose_name='每秒最多')),
                        ('next_at', models.DateTimeField()),
                        ('taken_count', models.PositiveIntegerField(default=0)),
                        ('backoff_until', models.DateTimeField(null=True, verbose_name='放慢到')),
                        ('backoff_count', models.PositiveSmallIntegerField(default=0)),
                        ('halted_at', models.DateTimeField(null=True, verbose_name='停发时间')),
                        ('halted_until', models.DateTimeField(null=True, verbose_name='停发到')),
                        ('halt_code', models.CharField(blank=True, max_length=60)),
                        ('purpose', models.CharField(choices=[('code', '验证码'), ('notice', '通知'), ('marketing', '营销')], max_length=9, unique=True, verbose_name='用途')),
                    ],
                    options={
                        'verbose_name': '短信通道',
                        'verbose_name_plural': '短信通道',
                        'constraints': [models.CheckConstraint(condition=models.Q(('rate_per_s__gte', 1)), name='smslane_rate_positive')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsReceipt',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('message_id', models.CharField(max_length=80, unique=True, verbose_name='服务商回执号')),
                        ('reference', models.CharField(blank=True, max_length=120)),
                        ('is_delivered', models.BooleanField(verbose_name='已送达')),
                        ('code', models.CharField(blank=True, max_length=40, verbose_name='状态码')),
                        ('told_at', models.DateTimeField(verbose_name='服务商时间')),
                        ('received_at', models.DateTimeField(verbose_name='收到时间')),
                        ('state', models.CharField(choices=[('waiting', '待处理'), ('done', '已处理'), ('unknown', '不认识')], default='waiting', max_length=7, verbose_name='处理')),
                        ('try_count', models.PositiveSmallIntegerField(default=0)),
                        ('not_before', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name': '短信回执',
                        'verbose_name_plural': '短信回执',
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['not_before'], name='smsreceipt_due_queue'), models.Index(fields=['received_at'], name='smsreceipt_by_received')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsReply',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('phone', core.fields.SealedTextField(verbose_name='手机号')),
                        ('phone_tail', models.CharField(max_length=4, verbose_name='手机尾号')),
                        ('text', core.fields.SealedTextField(verbose_name='内容')),
                        ('is_opt_out', models.BooleanField(verbose_name='退订')),
                        ('told_at', models.DateTimeField(verbose_name='回复时间')),
                        ('received_at', models.DateTimeField(verbose_name='收到时间')),
                        ('digest', models.CharField(max_length=80, unique=True)),
                        ('state', models.CharField(choices=[('waiting', '待处理'), ('done', '已处理'), ('unknown', '不认识')], default='waiting', max_length=7, verbose_name='处理')),
                        ('try_count', models.PositiveSmallIntegerField(default=0)),
                        ('not_before', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name': '短信回复',
                        'verbose_name_plural': '短信回复',
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['not_before'], name='smsreply_due_queue'), models.Index(fields=['received_at'], name='smsreply_by_received')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsSign',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(help_text='不带【】，如：素衣', max_length=12, unique=True, verbose_name='签名')),
                        ('provider_id', models.CharField(blank=True, help_text='服务商控制台里的签名 ID，用来核对审核状态', max_length=20, verbose_name='签名 ID')),
                        ('is_default', models.BooleanField(default=False, verbose_name='默认签名')),
                        ('state', models.CharField(choices=[('pending', '审核中'), ('approved', '已通过'), ('rejected', '未通过'), ('gone', '服务商没有')], default='pending', max_length=8, verbose_name='审核状态')),
                        ('review_note', models.CharField(blank=True, max_length=200, verbose_name='审核意见')),
                        ('checked_at', models.DateTimeField(blank=True, null=True, verbose_name='核对时间')),
                    ],
                    options={
                        'verbose_name': '短信签名',
                        'verbose_name_plural': '短信签名',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='smssign_one_default')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsPull',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('receipts', '回执'), ('replies', '回复')], max_length=8, verbose_name='类型')),
                        ('state', models.CharField(choices=[('asked', '已询问'), ('stored', '待处理'), ('lost', '可能丢失'), ('unreadable', '读不懂')], default='asked', max_length=10, verbose_name='状态')),
                        ('body', core.fields.SealedTextField(blank=True, editable=False)),
                        ('asked_at', models.DateTimeField(verbose_name='询问时间')),
                    ],
                    options={
                        'verbose_name': '拉取短信回执',
                        'verbose_name_plural': '拉取短信回执',
                        'indexes': [models.Index(fields=['state', 'asked_at'], name='smspull_by_state')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsSpend',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('on', models.DateField(verbose_name='日期')),
                        ('purpose', models.CharField(choices=[('code', '验证码'), ('notice', '通知'), ('marketing', '营销')], max_length=9, verbose_name='用途')),
                        ('template_code', models.CharField(blank=True, max_length=40, verbose_name='模板 ID')),
                        ('filed_under', models.CharField(blank=True, max_length=20, verbose_name='事项')),
                        ('text_count', models.PositiveIntegerField(default=0, verbose_name='短信数')),
                        ('segment_count', models.PositiveIntegerField(default=0, verbose_name='计费条数')),
                        ('cost_hundredths', models.PositiveBigIntegerField(default=0, verbose_name='费用')),
                    ],
                    options={
                        'verbose_name': '短信费用',
                        'verbose_name_plural': '短信费用',
                        'permissions': (('export_smsspend', '导出短信费用'),),
                        'constraints': [models.UniqueConstraint(fields=('on', 'purpose', 'template_code', 'filed_under'), name='smsspend_one_per_day_and_reason')],
                    },
                ),
                migrations.CreateModel(
                    name='SmsTemplate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(help_text='服务商控制台里的模板 ID', max_length=40, unique=True, verbose_name='模板 ID')),
                        ('title', models.CharField(max_length=40, verbose_name='名称')),
                        ('purpose', models.CharField(choices=[('code', '验证码'), ('notice', '通知'), ('marketing', '营销')], help_text='要和申请模板时选的类型一样', max_length=9, verbose_name='用途')),
                        ('text', models.TextField(help_text='和审核通过的正文一字不差，变量写成 {1}、{2}；营销短信要写明退订方式，如“拒收请回复R”', max_length=500, verbose_name='正文')),
                        ('gap_limit', models.PositiveSmallIntegerField(default=6, help_text='以服务商控制台显示的为准，新开通的账号是 6；超过的会截短', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='每个变量最多几个字')),
                        ('is_on', models.BooleanField(default=True, verbose_name='启用')),
                        ('state', models.CharField(choices=[('pending', '审核中'), ('approved', '已通过'), ('rejected', '未通过'), ('gone', '服务商没有')], default='pending', max_length=8, verbose_name='审核状态')),
                        ('review_note', models.CharField(blank=True, max_length=200, verbose_name='审核意见')),
                        ('checked_at', models.DateTimeField(blank=True, null=True, verbose_name='核对时间')),
                        ('sign', models.ForeignKey(blank=True, help_text='不选：用默认签名', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sms.smssign', verbose_name='签名')),
                    ],
                    options={
                        'verbose_name': '短信模板',
                        'verbose_name_plural': '短信模板',
                        'constraints': [models.CheckConstraint(condition=models.Q(('gap_limit__range', (1, 100))), name='smstemplate_gap_limit_sane')],
                        'permissions': (('try_smstemplate', '可以试发短信'),),
                    },
                ),
                migrations.CreateModel(
                    name='SmsTrial',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('phone_index', models.CharField(editable=False, max_length=80)),
                        ('phone_tail', models.CharField(max_length=4, verbose_name='手机尾号')),
                        ('tried_by_id', models.BigIntegerField(editable=False, null=True)),
                        ('tried_by', models.CharField(max_length=80, verbose_name='操作者')),
                        ('tried_at', models.DateTimeField(verbose_name='时间')),
                        ('state', models.CharField(blank=True, max_length=9, verbose_name='结果')),
                        ('code', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('message_id', models.CharField(blank=True, max_length=80, verbose_name='服务商回执号')),
                        ('template', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='sms.smstemplate', verbose_name='短信模板')),
                    ],
                    options={
                        'verbose_name': '试发短信',
                        'verbose_name_plural': '试发短信',
                        'indexes': [models.Index(fields=['tried_by_id', 'tried_at'], name='smstrial_of_staff'), models.Index(fields=['phone_index', 'tried_at'], name='smstrial_of_number'), models.Index(condition=models.Q(('message_id', ''), _negated=True), fields=['message_id'], name='smstrial_by_message')],
                    },
                ),
            ],
        ),
    ]
