import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


_MOVED = ("kind", "text", "title", "description", "url", "picture_url", "card_app_id", "card_page")


def move_contents(apps, schema_editor):
    """What a rule said is its first part."""
    part_model = apps.get_model("wechat", "ReplyPart")
    rules = apps.get_model("wechat", "ReplyRule").objects.order_by("pk")
    part_model.objects.bulk_create(
        part_model(
            rule_id=rule.pk, picture=rule.card_thumb, **{name: getattr(rule, name) for name in _MOVED}
        )
        for rule in rules.iterator()
    )


class Migration(migrations.Migration):

    dependencies = [
        ('wechat', '0004_templates'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReplyHoliday',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=20, verbose_name='名称')),
                ('first_on', models.DateField(verbose_name='第一天')),
                ('last_on', models.DateField(verbose_name='最后一天')),
                ('opens_at', models.TimeField(blank=True, help_text='两个都空着表示休息', null=True, verbose_name='开始')),
                ('closes_at', models.TimeField(blank=True, null=True, verbose_name='结束')),
            ],
            options={
                'verbose_name': '特别日子',
                'verbose_name_plural': '特别日子',
                'ordering': ['first_on', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ReplyHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekly', models.JSONField(blank=True, default=list, verbose_name='每周时间')),
            ],
            options={
                'verbose_name': '营业时间',
                'verbose_name_plural': '营业时间',
            },
        ),
        migrations.CreateModel(
            name='ReplyPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=1, verbose_name='顺序')),
                ('kind', models.CharField(default='text', max_length=20, verbose_name='类型')),
                ('text', models.TextField(blank=True, verbose_name='文字内容')),
                ('title', models.CharField(blank=True, max_length=64, verbose_name='标题')),
                ('description', models.CharField(blank=True, max_length=120, verbose_name='摘要')),
                ('url', models.CharField(blank=True, max_length=1024, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])], verbose_name='点击后打开')),
                ('picture_url', models.CharField(blank=True, max_length=1024, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])], verbose_name='封面图地址')),
                ('card_app_id', models.CharField(blank=True, max_length=40, verbose_name='小程序 AppID')),
                ('card_page', models.CharField(blank=True, max_length=255, verbose_name='小程序页面')),
                ('picture', models.ImageField(blank=True, upload_to='reply-cards/', verbose_name='图片')),
                ('target', models.CharField(blank=True, max_length=40, verbose_name='给什么')),
            ],
            options={
                'verbose_name': '回复内容',
                'verbose_name_plural': '回复内容',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ReplyTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('won_count', models.BigIntegerField(default=0, verbose_name='命中次数')),
                ('last_won_at', models.DateTimeField(null=True, verbose_name='最近命中')),
            ],
            options={
                'verbose_name': '命中计数',
                'verbose_name_plural': '命中计数',
            },
        ),
        migrations.CreateModel(
            name='ReplyTallyCursor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_only', models.BooleanField(default=True, unique=True)),
                ('inbound_id', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name': '命中计数进度',
                'verbose_name_plural': '命中计数进度',
            },
        ),
        migrations.AddField(
            model_name='account',
            name='reply_version',
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='inboundevent',
            name='won_rule_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='outboundmessage',
            name='after_message_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='outboundmessage',
            name='is_followed',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='replyrule',
            name='menu_key',
            field=models.CharField(blank=True, help_text='菜单里“点击后回复”那一项的标识', max_length=128, verbose_name='菜单标识'),
        ),
        migrations.AddField(
            model_name='replyrule',
            name='message_kind',
            field=models.CharField(blank=True, choices=[('image', '图片'), ('voice', '语音'), ('video', '视频'), ('location', '位置'), ('link', '链接')], max_length=12, verbose_name='消息类型'),
        ),
        migrations.AddField(
            model_name='replyrule',
            name='pause_minutes',
            field=models.PositiveIntegerField(default=0, help_text='0 表示每次都回复；期间她的消息会交给导购', verbose_name='同一个人隔多久才再回复（分钟）'),
        ),
        migrations.AddField(
            model_name='replyrule',
            name='valid_from',
            field=models.DateTimeField(blank=True, help_text='留空表示马上开始', null=True, verbose_name='开始时间'),
        ),
        migrations.AddField(
            model_name='replyrule',
            name='valid_until',
            field=models.DateTimeField(blank=True, help_text='到这一刻就不再回复；留空表示一直有效', null=True, verbose_name='结束时间'),
        ),
        migrations.AlterField(
            model_name='outboundmessage',
            name='kind',
            field=models.CharField(choices=[('text', '文字'), ('image', '图片'), ('article', '图文'), ('mini_program_card', '小程序卡片')], max_length=20, verbose_name='类型'),
        ),
        migrations.AlterField(
            model_name='outboundmessage',
            name='state',
            field=models.CharField(choices=[('held', '排在后面'), ('queued', '待发送'), ('sending', '发送中'), ('sent', '已发送'), ('dropped', '未发送'), ('uncertain', '结果未知')], default='queued', max_length=12, verbose_name='状态'),
        ),
        migrations.AlterField(
            model_name='replyrule',
            name='channel_code',
            field=models.CharField(blank=True, help_text='只在扫这个码时回复；留空表示不限哪个码', max_length=30, verbose_name='渠道码'),
        ),
        migrations.AlterField(
            model_name='replyrule',
            name='keyword',
            field=models.CharField(blank=True, max_length=200, verbose_name='关键词'),
        ),
        migrations.AlterField(
            model_name='replyrule',
            name='keyword_match',
            field=models.CharField(choices=[('exact', '完全一致'), ('contains', '包含'), ('pattern', '正则表达式')], default='exact', max_length=10, verbose_name='匹配方式'),
        ),
        migrations.AlterField(
            model_name='replyrule',
            name='trigger',
            field=models.CharField(choices=[('follow', '关注时'), ('scan', '已关注的人扫码时'), ('keyword', '收到关键词'), ('message', '收到图片、语音等'), ('click', '点菜单时'), ('after_hours', '非营业时间的其他消息'), ('default', '其他消息(默认)')], max_length=12, verbose_name='何时回复'),
        ),
        migrations.AddIndex(
            model_name='outboundmessage',
            index=models.Index(condition=models.Q(('state', 'held')), fields=['after_message_id'], name='outboundmessage_held'),
        ),
        migrations.AddConstraint(
            model_name='replyrule',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_from__isnull', True), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='replyrule_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='replyrule',
            constraint=models.CheckConstraint(condition=models.Q(('pause_minutes__lte', 10080)), name='replyrule_pause_within_a_week'),
        ),
        migrations.AddField(
            model_name='replyhours',
            name='account',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号'),
        ),
        migrations.AddField(
            model_name='replyholiday',
            name='hours',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holidays', to='wechat.replyhours'),
        ),
        migrations.AddField(
            model_name='replypart',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='wechat.replyrule'),
        ),
        migrations.AddField(
            model_name='replytally',
            name='rule',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='tally', to='wechat.replyrule'),
        ),
        migrations.RunPython(move_contents, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='replyholiday',
            constraint=models.CheckConstraint(condition=models.Q(('last_on__gte', models.F('first_on'))), name='replyholiday_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='replyholiday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closes_at__isnull', True), ('opens_at__isnull', True)), models.Q(('closes_at__isnull', False), ('opens_at__isnull', False)), _connector='OR'), name='replyholiday_both_times_or_none'),
        ),
        migrations.AddConstraint(
            model_name='replytally',
            constraint=models.CheckConstraint(condition=models.Q(('won_count__gte', 0)), name='replytally_not_negative'),
        ),
    ]
